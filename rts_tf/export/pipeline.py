"""One export: everything is made and measured beside its place, and takes it only when it keeps its limits."""

import contextlib
import dataclasses
import hashlib
import os
import pathlib
import platform
import shutil
from collections.abc import Callable, Iterator

import numpy as np
import tensorflow as tf

from rts_tf.export import HEADS, card
from rts_tf.export.calibration import CalibrationCrops, mosaic
from rts_tf.export.heads import SCALE, radius_of
from rts_tf.export.runners import litert
from rts_tf.export.runners import process as measuring
from rts_tf.export.saved_model import write_saved_model
from rts_tf.export.tflite import Converter
from rts_tf.images.resample import double
from rts_tf.inference import Enhancer
from rts_tf.networks.weights import weights_sha256
from rts_tf.storage import lock, read_json, sync

SECONDS = 2.0  # for which a file is run again and again, to take its time
TWIN = 4  # int16x8, for which LiteRT has no fast kernels on a CPU, is measured on a frame of this share of each side


@dataclasses.dataclass(frozen=True)
class Order:
    """What to export. ``height`` and ``width`` are those of the frame that comes out; "upscale" takes half of them."""

    formats: tuple[str, ...]
    heads: tuple[str, ...]
    precisions: tuple[str, ...]
    height: int
    width: int

    def input_size(self, head: str) -> tuple[int, int]:
        return self.height // SCALE[head], self.width // SCALE[head]


class Export:
    """The making of one export in ``output``, step by step."""

    def __init__(
        self,
        enhancer: Enhancer,
        photographs: CalibrationCrops,
        order: Order,
        source: str,
        output: pathlib.Path,
    ):
        self.enhancer, self.photographs, self.order, self.source, self.output = (
            enhancer,
            photographs,
            order,
            source,
            output,
        )
        self.converter = Converter(enhancer.network, photographs.calibration)
        self.partial, self.entries, self.wanted = output / ".partial", [], {}
        self.weights = weights_sha256(enhancer.network.get_weights())

    def steps(self) -> Iterator[tuple[str, float, Callable[[], None]]]:
        """What is to do, in order: its name, roughly its share of the time, and how."""
        order = self.order
        if "tflite" in order.formats:
            if any(precision.startswith("int") for precision in order.precisions):
                yield "observing the calibration crops", 8, lambda: self.converter.observed
            for head in order.heads:
                for precision in order.precisions:
                    weight = 12 if precision == "int16x8" else 5
                    yield (
                        f"tflite {head} {precision}",
                        weight,
                        lambda h=head, p=precision: self._tflite(h, p),
                    )
        if "saved_model" in order.formats:
            yield "saved_model", 4, self._saved_model
            for head in HEADS:
                yield f"saved_model {head}", 12, lambda h=head: self._run_saved_model(h)
        yield "publishing", 1, self._publish

    @contextlib.contextmanager
    def place(self) -> Iterator[None]:
        """Room for the work, cleared of what a killed export left, and kept from other processes."""
        self.output.mkdir(parents=True, exist_ok=True)
        with lock(self.output, "--output", "is exporting to this directory"):
            shutil.rmtree(self.partial, ignore_errors=True)
            self.partial.mkdir()
            try:
                yield
            finally:
                shutil.rmtree(self.partial, ignore_errors=True)

    def _frame(self, head: str, share: int = 1) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """A frame of validation crops, the network's output on it, and what its enhancement is measured from."""
        if (head, share) not in self.wanted:
            height, width = (max(1, side // share) for side in self.order.input_size(head))
            frame = mosaic(self.photographs.validation, height, width)
            x = frame.astype(np.float32) / np.float32(255)
            network = self.enhancer.enhance(x) if head == "enhance" else self.enhancer.upscale(x)
            self.wanted[head, share] = (
                frame,
                network,
                x if head == "enhance" else double(x[None])[0].numpy(),
            )
        return self.wanted[head, share]

    def _tflite(self, head: str, precision: str) -> None:
        height, width = self.order.input_size(head)
        path = self.partial / f"{head}_{precision}.tflite"
        path.write_bytes(self.converter.convert(head, precision, height, width))
        operations, macs = litert.operations_and_macs(path.read_bytes())
        share = TWIN if precision == "int16x8" and min(height, width) >= 64 * TWIN else 1
        frame, network, x = self._frame(head, share)
        run_path = path
        if share > 1:
            run_path = self.partial / "twin.tflite"
            run_path.write_bytes(self.converter.convert(head, precision, *frame.shape[:2]))
        run = measuring.run(
            "rts_tf.export.runners.litert", run_path, head, frame, SECONDS, self.partial
        )
        if precision == "dynamic":
            macs = self._macs(head)
        self._enter(
            precision,
            head,
            f"tflite/{path.name}",
            path,
            run,
            frame,
            network,
            x,
            operations,
            macs,
            litert.THREADS,
        )

    def _saved_model(self) -> None:
        self.warm = write_saved_model(self.enhancer.network, self.partial / "saved_model")

    def _run_saved_model(self, head: str) -> None:
        frame, network, x = self._frame(head)
        directory = self.partial / "saved_model"
        run = measuring.run(
            "rts_tf.export.runners.session", directory, head, frame, SECONDS, self.partial
        )
        name = f"saved_model/rts/{self._version()}"
        self._enter(
            "saved_model",
            head,
            name,
            directory,
            run,
            frame,
            network,
            x,
            [],
            self._macs(head),
            os.cpu_count(),
        )

    def _macs(self, head: str) -> int:
        """Multiplications with a weight for the frame, from the kernels alone."""
        height, width = self.order.input_size(head)
        kernels = [
            layer.kernel for layer in self.enhancer.network.layers if hasattr(layer, "kernel")
        ]
        weights = sum(int(np.prod(kernel.shape)) for kernel in kernels) + (
            7 * 12 * 6 + 7 * 6 * 3 if head == "enhance" else 0
        )
        return weights * height * width

    def _enter(
        self, kind, head, name, path, run, frame, network, x, operations, macs, threads
    ) -> None:
        """Check a file against its limits, and note its entry of the card."""
        area = np.prod(self.order.input_size(head)) / (frame.shape[0] * frame.shape[1])
        rounded = (
            np.rint(255 * np.clip(network, 0, 1)) / np.float32(255)
            if kind == "saved_model"
            else network
        )
        entry = {
            "file": name,
            "kind": kind,
            "signature": head,
            **card.shapes(kind, head, *self.order.input_size(head)),
            "bytes": sum(f.stat().st_size for f in path.rglob("*"))
            if path.is_dir()
            else path.stat().st_size,
            "sha256": _sha256(path),
            "operations": operations,
            "macs": macs,
            "receptive_radius": radius_of(self.enhancer.network, head),
            **card.compare(run.output, rounded, x),
            "milliseconds": run.milliseconds * area,
            "peak_memory_mb": run.peak_memory_mb * area,
            "measured_at": f"{frame.shape[1]}x{frame.shape[0]}"
            + (", scaled by area" if area != 1 else ""),
            "threads": threads,
        }
        card.check(kind, head, entry)
        self.entries.append(entry)

    def _version(self) -> int:
        existing = [
            p.name for p in (self.output / "saved_model" / "rts").glob("*") if p.name.isdigit()
        ]
        return 1 + max(map(int, existing), default=0)

    def _publish(self) -> None:
        """Everything takes its place by renames, the card last: while there is none, the files are not vouched for."""
        before, made = (
            read_json(self.output / "export.json") or {},
            {entry["file"] for entry in self.entries},
        )
        kept = before.get("files", []) if before.get("weights_sha256") == self.weights else []
        kept = [entry for entry in kept if entry["file"] not in made and self._is_there(entry)]
        for name in ("export.json", "EXPORT.md"):
            (self.output / name).unlink(missing_ok=True)
        for entry in self.entries:
            target = self.output / entry["file"]
            built = self.partial / (
                "saved_model" if entry["kind"] == "saved_model" else target.name
            )
            if built.exists():  # both entries of a SavedModel are one directory
                target.parent.mkdir(parents=True, exist_ok=True)
                for path in [*built.rglob("*"), built]:
                    sync(path)
                os.replace(built, target)
                sync(target.parent)
        card.write(
            self.output,
            {
                "network": self.enhancer.network.name,
                "weights_sha256": self.weights,
                "source": self.source,
                "software": f"TensorFlow {tf.__version__}",
                "machine": f"{platform.machine()}, {os.cpu_count()} processors",
                "frame": f"{self.order.width}x{self.order.height}, a mosaic of validation crops (upscale: half of it goes in)",
                "calibration": f"{len(self.photographs.calibration)} {self.photographs.origin}",
                "files": kept + self.entries,
            },
        )

    def _is_there(self, entry: dict) -> bool:
        path = self.output / entry["file"]
        return path.exists() and _sha256(path) == entry["sha256"]


def _sha256(path: pathlib.Path) -> str:
    """Of a file, or over the names and contents of a directory."""
    digest = hashlib.sha256()
    for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
        if file.is_file():
            digest.update(str(file.relative_to(path)).encode() if path.is_dir() else b"")
            digest.update(file.read_bytes())
    return digest.hexdigest()
