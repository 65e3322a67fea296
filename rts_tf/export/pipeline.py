"""Makes an export: converts, measures and publishes the files of one network.

Everything is made and measured beside its final place, and files that keep their limits are
published.
"""

import contextlib
import functools
import pathlib

import numpy as np

from rts_tf.export import HEADS, PRECISIONS, limits, program_formats
from rts_tf.export.calibration import CalibrationCrops, crops_of_run, mosaic, sample_crops
from rts_tf.export.flatbuffer import operations_and_macs
from rts_tf.export.heads import check_network, macs_of_frame
from rts_tf.export.luma_pipeline import LumaPipeline
from rts_tf.export.measurement import Frame, MeasuredFile
from rts_tf.export.publication import next_version
from rts_tf.export.runners import litert
from rts_tf.export.saved_model import write_saved_model
from rts_tf.export.spec import ExportSpec, NetworkSource
from rts_tf.export.steps import Export, Silent, StartProgress, Step
from rts_tf.export.tflite import Converter
from rts_tf.images.resample import double
from rts_tf.inference import Enhancer, load
from rts_tf.luma.loading import is_luma_model, load_luma
from rts_tf.metrics.resources import cores
from rts_tf.report.demo_link import link_demo_page

# LiteRT has no fast kernels for int16x8 on a CPU. Such a file is measured by one that is shorter
# by this factor on each side.
TWIN = 4
TWIN_FROM = 64 * TWIN  # pixels a side from which on that is done


def export_network(
    source: NetworkSource,
    spec: ExportSpec,
    start_progress: StartProgress = lambda work: contextlib.nullcontext(Silent()),
) -> list[str]:
    """Export a network.

    Args:
        source: the network, and the directory to export to (``rts_tf.export.spec.find_network``).
        spec: the files to export.
        start_progress: called with the work of the export; returns a context manager of what is
            called after every step.

    Returns:
        What the user should know about the export, one line each.

    Raises:
        RtsError: if the network cannot be exported in that way, all files miss their limits, or
            the directory cannot be written. What was published before is as it was.
    """
    pipeline = _pipeline(source, spec, source.output)
    pipeline.run(start_progress)
    for entry in pipeline.entries:
        if entry["kind"] == "page" and source.report:
            link_demo_page(source.report, pipeline.output / entry["file"])
    return pipeline.notes()


def _pipeline(source: NetworkSource, spec: ExportSpec, output: pathlib.Path) -> Export:
    if is_luma_model(source.model):
        model = load_luma(source.model)
        return LumaPipeline(model, sample_crops(), spec, source.model, output)
    enhancer = load(source.model)
    check_network(enhancer.network, spec.formats, spec.precisions)
    crops = crops_of_run(source.run) if source.run else sample_crops()
    return ExportPipeline(enhancer, crops, spec, source.model, output)


class ExportPipeline(Export):
    """The export of a network that doubles the size.

    Attributes:
        enhancer: the network with what it is measured by.
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
        """Prepare it; the arguments are those of ``Export``, but for the enhancer."""
        super().__init__(enhancer.network, crops, spec, source, output)
        self.enhancer = enhancer
        self.converter = Converter(enhancer.network, crops.calibration)
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
        steps += program_formats.steps_of(self, self.spec.heads, self._frame)
        return [*steps, self.publishing()]

    def notes(self) -> list[str]:
        """Say what the SavedModel lacks, and what was not measured."""
        notes = self.notes_on_measuring()
        if "saved_model" in self.spec.formats and not self.has_warmup:
            notes.append(
                "The SavedModel has no warm-up requests; they need: pip install"
                " tensorflow-serving-api (the extra 'serving')."
            )
        return notes

    def frame_in_words(self) -> str:
        """Say what the files are measured on."""
        return (
            f"{self.spec.width}x{self.spec.height}, a mosaic of validation crops"
            " (the input of upscale: half of it)"
        )

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
                run=self.measured("litert", measured, head, frame.pixels),
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
                run=self.measured("session", directory, head, frame.pixels),
            )
        )

    def _macs(self, head: str) -> int:
        """MACs for a frame of a file that has no fixed size."""
        height, width = self.spec.input_size(head)
        return macs_of_frame(self.enhancer.network, head, height, width)

    def _add(self, file: MeasuredFile) -> None:
        entry = file.entry(self.enhancer.network)
        self.add(entry, functools.partial(limits.check, file.kind, file.head))
