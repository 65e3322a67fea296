"""Makes the export of a network for luma: three files of the same integers.

They are ``tflite/enhance_int8.tflite`` for one size, ``enhance_int8_strided.tflite`` for devices
that cannot move pixels into channels, and ``enhance_int8_any.tflite`` for any size.
"""

import functools
import pathlib
from typing import NamedTuple

import numpy as np

from rts_tf.errors import ConfigError
from rts_tf.export import OUTPUT_NAME, limits, program_formats
from rts_tf.export.calibration import CalibrationCrops, mosaic
from rts_tf.export.flatbuffer import operations_and_macs
from rts_tf.export.luma import INPUT_NAME, SIGNATURE, integer_file
from rts_tf.export.luma_integers import LumaIntegers, integers_of
from rts_tf.export.measurement import Frame
from rts_tf.export.publication import sha256
from rts_tf.export.runners import litert
from rts_tf.export.spec import ExportSpec
from rts_tf.export.steps import Export, Step
from rts_tf.images.dtypes import to_float
from rts_tf.luma.enhancer import LumaEnhancer, luma_of
from rts_tf.networks.luma import shape_of

# What there is
FORMATS = ("tflite", *program_formats.PROGRAM_FORMATS)
ONLY = {"formats": FORMATS, "heads": (SIGNATURE,), "precisions": ("int8",)}


class _File(NamedTuple):
    kind: str
    form: str
    any_size: bool


FILES = (
    _File("int8", "packed", False),
    _File("int8_strided", "strided", False),
    _File("int8_any", "packed", True),
)


class LumaPipeline(Export):
    """The export of a network for luma."""

    def __init__(
        self,
        model: LumaEnhancer,
        crops: CalibrationCrops,
        spec: ExportSpec,
        source: str,
        output: pathlib.Path,
    ):
        """Prepare the export of ``model``; the other arguments are those of :class:`Export`."""
        super().__init__(model.network, crops, spec, source, output)
        self.model = model

    @functools.cached_property
    def integers(self) -> LumaIntegers:
        """The network in integers: those that it has already, or rounded when first asked for."""
        if self.model.ranges:
            return LumaIntegers(self.network, self.model.ranges)
        return integers_of(self.network, [luma_of(crop) for crop in self.crops.calibration])

    def steps(self) -> list[Step]:
        """Return what is to do, in order.

        Raises:
            ConfigError: if the spec leaves out all that there is for such a network.
        """
        for setting, values in ONLY.items():
            wanted = getattr(self.spec, setting)
            if not {*values} & {*wanted}:
                raise ConfigError(
                    f"`{setting}`={','.join(wanted)}: {self.network.name} is a network for luma,"
                    f" which is exported with `{setting}`={','.join(values)} alone."
                )
        steps = program_formats.steps_of(self, (SIGNATURE,), self._whole)
        if "tflite" in self.spec.formats:
            steps += [Step("rounding to integers", 4, self._round)] + [
                Step(f"tflite {file.kind}", 4, functools.partial(self._make, file))
                for file in FILES
            ]
        return [*steps, self.publishing()]

    def notes(self) -> list[str]:
        """Say that there are no other files, if the spec asks for more."""
        notes = self.notes_on_measuring()
        if any({*getattr(self.spec, setting)} - {*values} for setting, values in ONLY.items()):
            notes.append(
                f"{self.network.name} is a network for luma. There is nothing of it but the formats"
                f" {', '.join(FORMATS)}, the head enhance and the precision int8."
            )
        return notes

    def frame_in_words(self) -> str:
        """Say what the files are measured on."""
        return f"{self.spec.width}x{self.spec.height}, the luma of a mosaic of validation crops"

    def _round(self) -> None:
        """Compute it now, so that it is a step of its own."""
        _ = self.integers

    @functools.cached_property
    def _frame(self) -> np.ndarray:
        return luma_of(mosaic(self.crops.validation, self.spec.height, self.spec.width))

    @functools.cached_property
    def _expected(self) -> np.ndarray:
        return LumaEnhancer(self.network).enhance_luma(to_float(self._frame))

    def _whole(self, head: str, share: int) -> Frame:
        """The middle of the frame, shorter by ``share`` on each side."""
        height, width = (side // share for side in self._frame.shape)
        top, left = ((share - 1) * side // 2 for side in (height, width))
        luma = self._frame[top : top + height, left : left + width]
        expected = LumaEnhancer(self.network).enhance_luma(to_float(luma))
        return Frame(luma[..., None], expected[..., None], to_float(luma)[..., None])

    def _make(self, file: _File) -> None:
        """Write a file, measure it, and add it to the export."""
        shape, (height, width) = shape_of(self.network.name), self._frame.shape
        path = self.partial / f"{SIGNATURE}_{file.kind}.tflite"
        size = (None, None) if file.any_size else (height, width)
        path.write_bytes(integer_file(self.integers, *size, form=file.form))
        operations, macs = operations_and_macs(path.read_bytes())
        frame, margin = self._frame, 0
        if file.any_size:
            margin = shape.margin
            sides = [(margin, margin + -side % shape.pack) for side in frame.shape]
            frame = np.pad(frame, sides, mode="edge")
            macs = shape.macs * frame.size
        run = self.measured("litert", path, SIGNATURE, frame[..., None])
        output = run.output[margin : margin + height, margin : margin + width, 0]
        nodes = litert.executed(path, frame.shape)
        sides_in_words = "H, W" if file.any_size else f"{height}, {width}"
        entry = {
            "file": f"tflite/{path.name}",
            "kind": file.kind,
            "signature": SIGNATURE,
            "input": f"{INPUT_NAME} uint8 0..255 [1, {sides_in_words}, 1]",
            "output": f"{OUTPUT_NAME[SIGNATURE]} uint8 0..255 [1, {sides_in_words}, 1]",
            "bytes": path.stat().st_size,
            "sha256": sha256(path),
            "operations": operations,
            "macs": macs,
            "receptive_radius": shape.margin + shape.pack - 1,
            "pack": shape.pack,
            **limits.compare_luma(output, self._expected),
            "milliseconds": run.milliseconds,
            "peak_memory_mb": run.peak_memory_mb,
            "measured_at": f"{frame.shape[1]}x{frame.shape[0]}",
            "threads": litert.THREADS,
            "partitions": len(nodes),
            "outside_xnnpack": [name for name in nodes if name != litert.XNNPACK],
        }
        self.add(entry, limits.check_luma)
