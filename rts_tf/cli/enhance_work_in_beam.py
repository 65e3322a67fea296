"""What ``rts enhance --engine=beam`` does in each worker process."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from rts_tf.beam.work import Parts
from rts_tf.cli.startup import load_tensorflow
from rts_tf.enhance.targets import Job
from rts_tf.errors import VideoError, first_line

if TYPE_CHECKING:
    from rts_tf.enhance.coding import Settings
    from rts_tf.enhance.video_spans import Span


class _Silent:
    """A progress that nobody sees."""

    def say(self, line: str) -> None:
        """Show nothing."""

    def skip(self, phase: str, work: float) -> None:
        """Count nothing."""

    def advance(self, phase: str, work: float, text: str, count: float, unit: str) -> None:
        """Count nothing."""


class _Loaded:
    """The networks of a worker process, and what is to be said of them."""

    def __init__(self, device: str, weights: Sequence[Any], chroma: bool):
        load_tensorflow(device)
        from rts_tf.cli.device_line import line_of
        from rts_tf.enhance.weights import Weights

        self._devices: list[str] = []

        def on_model(model: Any, bits: int) -> None:
            if (line := line_of(model, bits)) not in self._devices:
                self._devices.append(line)

        self.weights = Weights(*weights, chroma=chroma, on_model=on_model)

    def said(self) -> dict[str, Any]:
        """What became known since the last call, of one file; JSON types."""
        choices, self.weights.choices = self.weights.choices, []
        devices, self._devices[:] = self._devices.copy(), []
        choice = [list(choice) for choice in choices[-1:]]
        return {"choices": choice, "devices": devices, "model": self.weights.latest}


_loaded = functools.cache(_Loaded)  # once a worker process


class EnhanceWork(NamedTuple):
    """Enhances files in worker processes; see :class:`rts_tf.beam.work.Work`.

    The results are dictionaries. All have ``seconds``, ``devices``, ``choices`` and ``model``.
    Those of files have ``errors`` and ``warnings`` too, and ``over``, whether nothing of a video is
    to be kept in its hidden directory. Those of spans have ``megapixels``.

    Attributes:
        device: The flag of :func:`rts_tf.cli.device.define_device_flag`.
        weights: The first arguments of :class:`rts_tf.enhance.weights.Weights`.
        scale: By how much images are enlarged.
        settings: The arguments of :class:`rts_tf.enhance.coding.Settings`, which would load
            TensorFlow before its time.
        chroma: Whether the chroma of videos is enhanced.
    """

    device: str
    weights: tuple[Any, ...]
    scale: int
    settings: tuple[Any, ...]
    chroma: bool

    def prepare(self) -> None:
        """Load TensorFlow; networks are loaded for the first file that needs them."""
        self._loaded()

    def do(self, item: Job) -> Any:
        """Enhance an image, or divide a video."""
        if not item.video:
            return self._timed(lambda: self._image(item))
        from rts_tf.enhance.video_spans import divide

        load, settings = self._loaded().weights.for_video, self._settings()
        result = self._timed(lambda: self._video(item, lambda: divide(item, load, settings)))
        return Parts(result["made"]) if "made" in result else result

    def do_part(self, item: Job, part: Span) -> Any:
        """Enhance a span of a video."""
        from rts_tf.enhance.video_spans import make

        load, settings = self._loaded().weights.for_video, self._settings()
        result = self._timed(lambda: self._video(item, lambda: make(item, load, settings, part)))
        return {"megapixels": result["made"].megapixels if "made" in result else 0.0} | result

    def finish(self, item: Job, parts: Sequence[Span], results: Sequence[Any]) -> Any:
        """Join the spans of a video."""
        from rts_tf.enhance.video_spans import Made, finish

        for result in results:
            if result.get("errors"):
                return result
        made = [Made(*result["made"]) for result in results]
        load, settings = self._loaded().weights.for_video, self._settings()
        result = self._timed(
            lambda: self._video(item, lambda: finish(item, load, settings, parts[0], made))
        )
        if "made" in result:
            warnings = [f"{item.source}: {warning}" for warning in result.pop("made")]
            result |= {"errors": [], "warnings": warnings, "over": True}
        seconds = sum(each["seconds"] for each in (*results, result))
        return result | {"seconds": round(seconds, 3)}

    def failed(self, item: Job, error: Exception) -> Any:
        """The result of a file that an unforeseen error ended."""
        line = f"{item.source}: failed ({type(error).__name__}: {first_line(error)})"
        return {"seconds": 0.0, **self._loaded().said(), "errors": [line], "warnings": []}

    def _image(self, job: Job) -> dict[str, Any]:
        from rts_tf.enhance.images import enhance_all, sizes_of

        network_for = self._loaded().weights.for_image
        sizes = sizes_of([job])
        errors, warnings = enhance_all([job], network_for, _Silent(), sizes, scale=self.scale)
        return {"errors": errors, "warnings": warnings}

    def _video(self, job: Job, call: Callable[[], Any]) -> dict[str, Any]:
        """What ``call`` made of a video, or the line about its failure."""
        from rts_tf.enhance.video import FAILURES, failure_line

        try:
            return {"made": call()}
        except FAILURES as error:
            over = isinstance(error, VideoError)
            return {"errors": [failure_line(job, error)], "warnings": [], "over": over}

    def _timed(self, call: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        """The result of ``call`` with the seconds that it took, and what became known."""
        began = time.monotonic()
        result = call()
        return {"seconds": round(time.monotonic() - began, 3), **self._loaded().said(), **result}

    def _settings(self) -> Settings:
        from rts_tf.enhance.coding import Settings

        return Settings(*self.settings)

    def _loaded(self) -> _Loaded:
        return _loaded(self.device, self.weights, self.chroma)
