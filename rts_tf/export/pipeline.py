"""Makes an export: converts, measures and publishes the files of one network.

Everything is made and measured beside its final place, and published only if it keeps its limits.
"""

import contextlib
import dataclasses
import functools
import os
import pathlib
import platform
import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any, Protocol

import numpy as np
import tensorflow as tf

from rts_tf.errors import RtsError, first_line
from rts_tf.export import HEADS, PRECISIONS
from rts_tf.export.calibration import CalibrationCrops, crops_of_run, mosaic, sample_crops
from rts_tf.export.flatbuffer import operations_and_macs
from rts_tf.export.heads import check_network, macs_of_frame
from rts_tf.export.measurement import Frame, MeasuredFile
from rts_tf.export.publication import next_version, publish_export
from rts_tf.export.runners import litert, process
from rts_tf.export.saved_model import write_saved_model
from rts_tf.export.spec import UNCHANGED, ExportSpec, NetworkSource
from rts_tf.export.tflite import Converter
from rts_tf.images.resample import double
from rts_tf.inference import Enhancer, load
from rts_tf.metrics.resources import cores
from rts_tf.networks.weights import weights_sha256
from rts_tf.storage import lock

SECONDS = 2.0  # for which a file runs again and again, to measure its time
# LiteRT has no fast kernels for int16x8 on a CPU. Such a file is measured by one that is shorter
# by this factor on each side.
TWIN = 4
TWIN_FROM = 64 * TWIN  # pixels a side from which on that is done
PHASE = "export"  # the name of the work


class Progress(Protocol):
    """What receives the progress of an export."""

    def advance(self, phase: str, work: float, text: str, count: float, unit: str) -> None:
        """Count ``work`` of ``phase``. May raise Interrupted: nothing is published then."""


# Called with the work of the export by phase
StartProgress = Callable[[dict[str, float]], AbstractContextManager[Progress]]


class _Silent:
    def advance(self, phase: str, work: float, text: str, count: float, unit: str) -> None:
        pass


def export_network(
    source: NetworkSource,
    spec: ExportSpec,
    output: pathlib.Path | None = None,
    start_progress: StartProgress = lambda work: contextlib.nullcontext(_Silent()),
) -> list[str]:
    """Export a network.

    Args:
        source: the network (``rts_tf.export.spec.find_network``).
        spec: the files to export.
        output: the directory to export to; by default that of ``source``.
        start_progress: called with the work of the export; returns a context manager of what is
            called after every step.

    Returns:
        What the user should know about the export, one line each.

    Raises:
        RtsError: if the network cannot be exported in that way, a file misses its limits, or the
            directory cannot be written. What was published before is as it was.
    """
    enhancer, output = load(source.model), output or source.output
    check_network(enhancer.network, spec.formats, spec.precisions)
    crops = crops_of_run(source.run) if source.run else sample_crops()
    pipeline = ExportPipeline(enhancer, crops, spec, source.model, output)
    steps = pipeline.steps()
    # TensorFlow has errors of its own for a disk.
    disk = (OSError, tf.errors.ResourceExhaustedError, tf.errors.OutOfRangeError)
    try:
        with (
            start_progress({PHASE: sum(step.work for step in steps)}) as progress,
            pipeline.workspace(),
        ):
            for step in steps:
                step.run()
                progress.advance(PHASE, step.work, step.name, 1, "steps")
    except disk as error:
        reason = getattr(error, "strerror", None) or first_line(error)
        raise RtsError(f"{output}: cannot be written ({reason}). {UNCHANGED}") from None
    if "saved_model" in spec.formats and not pipeline.has_warmup:
        return [
            "The SavedModel has no warm-up requests; they need: pip install tensorflow-serving-api"
            " (the extra 'serving')."
        ]
    return []


@dataclasses.dataclass(frozen=True)
class Step:
    """One thing to do: its name, roughly its share of the time, and how."""

    name: str
    work: float
    run: Callable[[], None]


class ExportPipeline:
    """The making of one export, step by step.

    Attributes:
        partial: the directory for work in progress, below the output.
        entries: of the export card, of the files that are measured.
        has_warmup: whether the SavedModel has warm-up requests.
    """

    def __init__(
        self,
        enhancer: Enhancer,
        crops: CalibrationCrops,
        spec: ExportSpec,
        source: str,
        output: pathlib.Path,
    ):
        """Prepare the export of ``enhancer`` to the directory ``output``.

        Args:
            enhancer: the network.
            crops: to calibrate and to measure on.
            spec: the files to make.
            source: where the network comes from, for the card.
            output: is made.
        """
        self.enhancer, self.crops, self.spec = enhancer, crops, spec
        self.source, self.output = source, output
        self.converter = Converter(enhancer.network, crops.calibration)
        self.partial = output / ".partial"
        self.entries: list[dict[str, Any]] = []
        self.has_warmup = False
        self._frame = functools.cache(self._make_frame)

    def steps(self) -> list[Step]:
        """Return what is to do, in order. Run the steps inside ``workspace``."""
        spec, steps = self.spec, []
        if "tflite" in spec.formats:
            if any(precision.startswith("int") for precision in spec.precisions):
                steps.append(Step("observing the calibration crops", 8, self._observe))
            for head in filter(spec.heads.__contains__, HEADS):
                for precision in filter(spec.precisions.__contains__, PRECISIONS):
                    run = functools.partial(self._make_tflite, head, precision)
                    work = 12 if precision == "int16x8" else 5
                    steps.append(Step(f"tflite {head} {precision}", work, run))
        if "saved_model" in spec.formats:
            steps.append(Step("saved_model", 4, self._make_saved_model))
            for head in HEADS:
                run = functools.partial(self._measure_saved_model, head)
                steps.append(Step(f"saved_model {head}", 12, run))
        return [*steps, Step("publishing", 1, self._publish)]

    @contextlib.contextmanager
    def workspace(self) -> Iterator[None]:
        """Make ``partial``, without what a killed export left there, and lock the output.

        Raises:
            RtsError: if another process exports to that directory.
        """
        self.output.mkdir(parents=True, exist_ok=True)
        with lock(self.output, "output", "is exporting to this directory"):
            shutil.rmtree(self.partial, ignore_errors=True)
            self.partial.mkdir()
            try:
                yield
            finally:
                shutil.rmtree(self.partial, ignore_errors=True)

    def _observe(self) -> None:
        """Compute it now, so that it is a step of its own."""
        _ = self.converter.observed

    def _make_frame(self, head: str, share: int = 1) -> Frame:
        """A mosaic of validation crops, shorter by ``share`` on each side than the file's frame."""
        height, width = (max(1, side // share) for side in self.spec.input_size(head))
        pixels = mosaic(self.crops.validation, height, width)
        x = pixels.astype(np.float32) / np.float32(255)
        if head == "enhance":
            return Frame(pixels, self.enhancer.enhance(x), x)
        return Frame(pixels, self.enhancer.upscale(x), double(x[None])[0].numpy())

    def _make_tflite(self, head: str, precision: str) -> None:
        size = self.spec.input_size(head)
        path = self.partial / f"{head}_{precision}.tflite"
        path.write_bytes(self.converter.convert(head, precision, *size))
        operations, macs = operations_and_macs(path.read_bytes())
        frame, measured = self._frame(head), path
        if precision == "int16x8" and min(size) >= TWIN_FROM:
            frame, measured = self._frame(head, TWIN), self.partial / "twin.tflite"
            height, width, _ = frame.pixels.shape
            measured.write_bytes(self.converter.convert(head, precision, height, width))
        self._add(
            MeasuredFile(
                kind=precision,
                head=head,
                path=path,
                published=f"tflite/{path.name}",
                operations=operations,
                macs=self._macs(head) if precision == "dynamic" else macs,
                threads=litert.THREADS,
                input_size=size,
                frame=frame,
                run=self._run("litert", measured, head, frame),
            )
        )

    def _make_saved_model(self) -> None:
        self.has_warmup = write_saved_model(self.enhancer.network, self.partial / "saved_model")

    def _measure_saved_model(self, head: str) -> None:
        frame, directory = self._frame(head), self.partial / "saved_model"
        self._add(
            MeasuredFile(
                kind="saved_model",
                head=head,
                path=directory,
                published=f"saved_model/rts/{next_version(self.output)}",
                operations=[],
                macs=self._macs(head),
                threads=cores(),
                input_size=self.spec.input_size(head),
                frame=frame,
                run=self._run("session", directory, head, frame),
            )
        )

    def _run(self, runner: str, path: pathlib.Path, head: str, frame: Frame) -> process.Run:
        module = f"rts_tf.export.runners.{runner}"
        return process.run(module, path, head, frame.pixels, seconds=SECONDS, scratch=self.partial)

    def _macs(self, head: str) -> int:
        """MACs for a frame of a file that has no fixed size."""
        height, width = self.spec.input_size(head)
        return macs_of_frame(self.enhancer.network, head, height, width)

    def _add(self, file: MeasuredFile) -> None:
        self.entries.append(file.entry(self.enhancer.network))

    def _publish(self) -> None:
        spec = self.spec
        contents = {
            "network": self.enhancer.network.name,
            "weights_sha256": weights_sha256(self.enhancer.network.get_weights()),
            "source": self.source,
            "software": f"TensorFlow {tf.__version__}",
            "machine": f"{platform.machine()}, {os.cpu_count()} processors",
            "frame": f"{spec.width}x{spec.height}, a mosaic of validation crops"
            " (the input of upscale: half of it)",
            "calibration": f"{len(self.crops.calibration)} {self.crops.origin}",
            "files": self.entries,
        }
        publish_export(self.partial, self.output, contents)
