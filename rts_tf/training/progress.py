"""How a run tells its caller how far it is. Work is counted in GFLOP, so that phases add up."""

import contextlib
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Protocol

import tensorflow as tf

from rts_tf.data.shards import ShardSet
from rts_tf.training.stage import Stage
from rts_tf.training.work_estimate import MEASURE_WORK, NetworkWork


class Progress(Protocol):
    """What receives the progress of a run."""

    def say(self, line: str) -> None:
        """Show one line that stays."""

    def expect(self, phase: str, trial: Callable[[], float]) -> None:
        """Learn the speed of a phase before it begins: ``trial`` returns seconds for a GFLOP."""

    def skip(self, phase: str, work: float) -> None:
        """Take ``work`` of ``phase`` off, since an earlier call did it."""

    def advance(self, phase: str, work: float, text: str, count: float, unit: str) -> None:
        """Count ``work`` of ``phase``: ``count`` of ``unit``, described by ``text``.

        This is called only where the state on disk is whole, so it may raise Interrupted.
        """


# Called with the work that is left, in GFLOP by phase
StartProgress = Callable[[dict[str, float]], AbstractContextManager[Progress]]


class Silent:
    """A Progress that shows nothing."""

    def say(self, line: str) -> None:
        pass

    def expect(self, phase: str, trial: Callable[[], float]) -> None:
        pass

    def skip(self, phase: str, work: float) -> None:
        pass

    def advance(self, phase: str, work: float, text: str, count: float, unit: str) -> None:
        pass


def no_progress(work: dict[str, float]) -> AbstractContextManager[Progress]:
    """A StartProgress that shows nothing."""
    return contextlib.nullcontext(Silent())


class PhaseAProgress:
    """Reports the steps of Phase A, to the caller and to TensorBoard."""

    def __init__(self, progress: Progress, stage: Stage, stages: int, steps: int, step_work: float):
        """Report on ``steps`` steps, each of ``step_work`` GFLOP."""
        self._progress, self._stage, self._steps = progress, stage, steps
        self._label, self._step_work = f"stage {stage.number}/{stages}  Phase A", step_work
        self._done: int | None = None

    def __call__(self, step: int, loss: float, learning_rate: float) -> None:
        """Note that ``step`` steps are done. The first call names the steps of the checkpoint."""
        if self._done is None:
            self._progress.skip("Phase A", step * self._step_work)
            self._done = step
            return
        for name, value in {"loss": loss, "learning_rate": learning_rate}.items():
            tf.summary.scalar(f"stage_{self._stage.number}/{name}", value, step)
        count, self._done = step - self._done, step
        text = f"{self._label}  step {step}/{self._steps}  loss {loss:.6f}"
        self._progress.advance("Phase A", count * self._step_work, text, count, "steps")


class PhaseBProgress:
    """Reports the images of Phase B."""

    def __init__(
        self,
        progress: Progress,
        label: str,
        source: ShardSet,
        work: NetworkWork,
        workers: int = 1,
    ):
        """``workers``: How many workers share the images; each counts what all of them do."""
        self._progress, self._label, self._source, self._work = progress, label, source, work
        self._workers = workers
        self._count, self._left = 0, work.of_images(source)

    def __call__(self, name: str) -> None:
        """Note that the image ``name`` is done."""
        height, width = self._source.sizes[name]
        work = min(self._workers * self._work.of_image(height, width), self._left)
        self._left -= work
        self._count = min(self._count + self._workers, len(self._source.sizes))
        text = f"{self._label} {self._count}/{len(self._source.sizes)}"
        self._progress.advance("Phase B", work, text, height * width / 1e6, "MP")

    def finish(self) -> None:
        """Take off what an earlier call did."""
        self._progress.skip("Phase B", self._left)


class MeasureProgress:
    """Reports the images that VIQET measured."""

    def __init__(
        self, progress: Progress, what: str, images: int, times: int = 1, workers: int = 1
    ):
        """``times``: How often VIQET measures each image.

        ``workers``: How many workers share the images; each counts what all of them do.
        """
        self._progress, self._what, self._images, self._times = progress, what, images, times
        self._workers, self._count = workers, 0

    def __call__(self, name: str) -> None:
        """Note that the image ``name`` is done."""
        done = min(self._workers, self._images - self._count)
        self._count += done
        text = f"VIQET  {self._what}  {self._count}/{self._images}"
        self._progress.advance("VIQET", done * self._times * MEASURE_WORK, text, done, "images")
