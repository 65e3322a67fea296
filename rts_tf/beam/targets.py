"""Phase B in Beam: a shard of targets is an item."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from rts_tf.beam.options import parsed
from rts_tf.beam.run import results
from rts_tf.errors import RtsError, first_line

if TYPE_CHECKING:
    from rts_tf.training.targets_job import TargetsJob


def write_targets(
    job: TargetsJob,
    numbers: Sequence[int],
    beam_args: str,
    *,
    load: Callable[[], None] | None = None,
    while_waiting: Callable[[], None] = lambda: None,
    on_shard: Callable[[int], None] = lambda number: None,
) -> list[str]:
    """Make shards of targets in Beam.

    Args:
        job: What makes them. Its directories must be visible to all workers by these paths.
        numbers: The shards to make.
        beam_args: Options for Beam, as a shell would split them.
        load: Loads TensorFlow in a worker process; pickled. None: it is simply imported.
        while_waiting: Is called several times a second; it may raise an exception to stop.
        on_shard: Is called with the number of each shard that is done.

    Returns:
        Lines to warn with, in the order of ``numbers``.

    Raises:
        RtsError: A shard could not be made, or Beam not go on. Shards that are there are whole.
    """
    work = TargetsWork(_fields(job), load)
    lines: dict[int, list[str]] = {}
    done = results(work, list(numbers), parsed(beam_args), while_waiting)
    with contextlib.closing(done):
        for place, result, _ in done:
            if "error" in result:
                raise RtsError(result["error"])
            lines[place] = result["lines"]
            on_shard(numbers[place])
    return [line for place in sorted(lines) for line in lines[place]]


class TargetsWork:
    """Makes shards in worker processes; see :class:`rts_tf.beam.work.Work`."""

    def __init__(self, fields: tuple[Any, ...], load: Callable[[], None] | None):
        """``fields``: Those of the job. Its class would load TensorFlow before its time."""
        self._fields, self._load = fields, load

    def prepare(self) -> None:
        """Load TensorFlow; the job loads its network once a process."""
        if self._load:
            self._load()
        import rts_tf.training.targets_job  # noqa: F401

    def do(self, item: int) -> Any:
        """Make the shard of a number: lines to warn with."""
        from rts_tf.training.targets_job import TargetsJob

        return {"lines": TargetsJob(*self._fields).write([item])}

    def failed(self, item: int, error: Exception) -> Any:
        """The result of a shard for which something raised what nobody foresaw."""
        return {"error": f"shard {item} failed ({type(error).__name__}: {first_line(error)})"}


def _fields(job: TargetsJob) -> tuple[Any, ...]:
    return tuple(getattr(job, field.name) for field in dataclasses.fields(job))
