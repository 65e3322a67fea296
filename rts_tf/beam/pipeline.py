"""The pipeline: items, then the parts of those that are done in parts, then their ends."""

import logging
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import apache_beam as beam
from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.runners.portability.fn_api_runner import FnApiRunner
from apache_beam.transforms.environments import SubprocessSDKEnvironment

from rts_tf.beam.mailbox import Mailbox
from rts_tf.beam.options import Options
from rts_tf.beam.work import Parts, Work, WorkInParts
from rts_tf.beam.worker import command_line
from rts_tf.errors import RtsError

# An item takes all threads and the memory that a process has, but runners call from many threads.
_ONE_AT_A_TIME = threading.Lock()

_Numbered = tuple[int, Any]  # an item with its number
_Part = tuple[int, Any, int, Any, int]  # number, item, number of the part, the part, count of parts

_PartDone = tuple[int, Any, Any, int, Any]  # number of the part, item, the part, count, result


class _Stage(beam.DoFn):
    """What all stages share: they prepare, stop, and report what is wrong."""

    def __init__(self, work: Work, mailbox: Mailbox):
        self._work, self._mailbox = work, mailbox

    def setup(self) -> None:
        with _ONE_AT_A_TIME:
            self._work.prepare()

    def _result(self, number: int, item: Any, call: Callable[[], Any]) -> Any:
        """The result of ``call``; None if the job is to stop, or the item failed."""
        with _ONE_AT_A_TIME:
            if self._mailbox.is_stopped():
                return None
            try:
                return call()
            except RtsError as error:
                self._mailbox.put(f"{number}-end", {"number": number, "fatal": str(error)})
                self._mailbox.stop()
            except Exception as error:
                logging.error("item %d failed", number, exc_info=True)
                self._report(number, self._work.failed(item, error))
        return None

    def _report(self, number: int, result: Any) -> None:
        self._mailbox.put(f"{number}-end", {"number": number, "result": result})


class _Do(_Stage):
    """Does items, and yields the parts of those that have any."""

    def process(self, element: _Numbered) -> Iterator[_Part]:
        number, item = element
        result = self._result(number, item, lambda: self._work.do(item))
        if isinstance(result, Parts):
            for k, part in enumerate(result.parts):
                yield number, item, k, part, len(result.parts)
        elif result is not None:
            self._report(number, result)


class _StageOfParts(_Stage):
    """A stage of work that is done in parts."""

    _work: WorkInParts


class _DoPart(_StageOfParts):
    """Does parts."""

    def process(self, element: _Part) -> Iterator[tuple[int, _PartDone]]:
        number, item, k, part, count = element
        result = self._result(number, item, lambda: self._work.do_part(item, part))
        if result is not None:
            self._mailbox.put(f"{number}-{k}", {"number": number, "part": result})
            yield number, (k, item, part, count, result)


class _Finish(_StageOfParts):
    """Ends items that were done in parts."""

    def process(self, element: tuple[int, Iterable[_PartDone]]) -> None:
        number, found = element
        done = sorted(found, key=lambda part: part[0])
        _, item, _, count, _ = done[0]
        if len(done) < count:
            return  # the job was stopped, or a part failed, which was reported
        parts, results = [part for _, _, part, _, _ in done], [result for *_, result in done]
        result = self._result(number, item, lambda: self._work.finish(item, parts, results))
        if result is not None:
            self._report(number, result)


def run_pipeline(
    work: Work, items: Sequence[Any], in_parts: bool, options: Options, mailbox: Mailbox
) -> None:
    """Run the pipeline to its end.

    Args:
        work: What is done.
        items: What it is done with; pickled.
        in_parts: Whether items may be done in parts.
        options: Those of Beam.
        mailbox: Gets a message for each item that is done or failed, and for each part.
    """
    runner = _runner_here(options.workers) if options.here else None
    pipeline = beam.Pipeline(runner, PipelineOptions(list(options.flags)))
    parts = (
        pipeline
        | "Items" >> beam.Create(list(enumerate(items)))
        | "Share out items" >> beam.Reshuffle()
        | "Do" >> beam.ParDo(_Do(work, mailbox))
    )
    if in_parts:
        (
            parts
            | "Share out parts" >> beam.Reshuffle()
            | "Do parts" >> beam.ParDo(_DoPart(work, mailbox))
            | "Gather" >> beam.GroupByKey()
            | "Finish" >> beam.ParDo(_Finish(work, mailbox))
        )
    pipeline.run().wait_until_finish()


def _runner_here(workers: int) -> FnApiRunner:
    """What runs a pipeline on this machine, with worker processes if there are to be any."""
    if not workers:
        return FnApiRunner()
    return FnApiRunner(SubprocessSDKEnvironment.from_command_string(command_line()))
