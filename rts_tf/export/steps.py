"""What every export consists of: steps in a directory beside the final place, then publication."""

import abc
import contextlib
import dataclasses
import os
import pathlib
import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any, Protocol

import keras
import numpy as np
import tensorflow as tf

from rts_tf.errors import RtsError, first_line
from rts_tf.export.calibration import CalibrationCrops
from rts_tf.export.limits import LimitMissed
from rts_tf.export.publication import publish_export
from rts_tf.export.runners import process
from rts_tf.export.spec import UNCHANGED, ExportSpec
from rts_tf.locks import lock
from rts_tf.networks.cpu import described, multiplies_in_tiles
from rts_tf.networks.weights import weights_sha256

SECONDS = 2.0  # for which a file runs again and again, to measure its time
PHASE = "export"  # the name of the work


class Progress(Protocol):
    """What receives the progress of an export."""

    def advance(self, phase: str, work: float, text: str, count: float, unit: str) -> None:
        """Count ``work`` of ``phase``. May raise Interrupted: nothing is published then."""


# Called with the work of the export by phase
StartProgress = Callable[[dict[str, float]], AbstractContextManager[Progress]]


class Silent:
    """Progress that nobody sees."""

    def advance(self, phase: str, work: float, text: str, count: float, unit: str) -> None:
        """Do nothing."""


@dataclasses.dataclass(frozen=True)
class Step:
    """One thing to do: its name, roughly its share of the time, and how."""

    name: str
    work: float
    run: Callable[[], None]


class Export(abc.ABC):
    """The making of one export, step by step.

    Attributes:
        partial: the directory for work in progress, below the output.
        entries: of the export card, of the files that keep their limits.
        withheld: the "file" and the "reason" of each one that does not; it is not published.
        unmeasured: by format what is missing on this machine to measure its files.
    """

    def __init__(
        self,
        network: keras.Model,
        crops: CalibrationCrops,
        spec: ExportSpec,
        source: str,
        output: pathlib.Path,
    ):
        """Prepare the export of ``network`` to the directory ``output``.

        Args:
            network: the network.
            crops: to calibrate and to measure on.
            spec: the files to make.
            source: where the network comes from, for the card.
            output: is made.
        """
        self.network, self.crops, self.spec = network, crops, spec
        self.source, self.output = source, output
        self.partial = output / ".partial"
        self.entries: list[dict[str, Any]] = []
        self.withheld: list[dict[str, str]] = []
        self.unmeasured: dict[str, str] = {}

    @abc.abstractmethod
    def steps(self) -> list[Step]:
        """Return what is to do, in order; the last step is ``publishing``."""

    @abc.abstractmethod
    def notes(self) -> list[str]:
        """Return what the user should know about the export, one line each."""

    @abc.abstractmethod
    def frame_in_words(self) -> str:
        """Say what the files are measured on, for the card."""

    def run(self, start_progress: StartProgress) -> None:
        """Run all steps.

        Raises:
            RtsError: if all files miss their limits, or the directory cannot be written.
        """
        steps = self.steps()
        # TensorFlow has errors of its own for a disk.
        disk = (OSError, tf.errors.ResourceExhaustedError, tf.errors.OutOfRangeError)
        try:
            with (
                start_progress({PHASE: sum(step.work for step in steps)}) as progress,
                self.workspace(),
            ):
                for step in steps:
                    step.run()
                    progress.advance(PHASE, step.work, step.name, 1, "steps")
        except disk as error:
            reason = getattr(error, "strerror", None) or first_line(error)
            raise RtsError(f"{self.output}: cannot be written ({reason}). {UNCHANGED}") from None

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

    def publishing(self) -> Step:
        """Return the last step."""
        return Step("publishing", 1, self._publish)

    def notes_on_measuring(self) -> list[str]:
        """Say which files were not measured and why, one line for each format."""
        return [
            f"The files of `formats`={name} are not measured on this machine: {lacks}."
            for name, lacks in self.unmeasured.items()
        ]

    def measured(
        self, runner: str, path: pathlib.Path, signature: str, frame: np.ndarray
    ) -> process.Run:
        """Run a file in a process of its own.

        Args:
            runner: one of the modules of ``rts_tf.export.runners``.
            path: the file.
            signature: to run.
            frame: uint8 [H, W, channels].
        """
        module = f"rts_tf.export.runners.{runner}"
        return process.run(module, path, signature, frame, seconds=SECONDS, scratch=self.partial)

    def add(self, entry: dict[str, Any], check: Callable[[dict[str, Any]], None]) -> None:
        """Add a file that was measured to the entries, or to those that are withheld.

        Args:
            entry: of the export card.
            check: raises LimitMissed if its figures miss a limit.
        """
        try:
            check(entry)
            self.entries.append(entry)
        except LimitMissed as missed:
            reason = str(missed).removeprefix(f"{entry['file']}: ")
            self.withheld.append({"file": entry["file"], "reason": reason})

    def _publish(self) -> None:
        withheld = {file["file"] for file in self.withheld}
        # A SavedModel has an entry for each signature, and goes as a whole.
        self.entries = [entry for entry in self.entries if entry["file"] not in withheld]
        if not self.entries:
            reasons = "; ".join(f"{file['file']} {file['reason']}" for file in self.withheld)
            raise RtsError(f"no file keeps its limits: {reasons}. Nothing was published.")
        contents = {
            "network": self.network.name,
            "weights_sha256": weights_sha256(self.network.get_weights()),
            "source": self.source,
            "software": f"TensorFlow {tf.__version__}",
            "machine": f"{described()}, {os.cpu_count()} processors",
            "has_matrix_tiles": multiplies_in_tiles(),
            "frame": self.frame_in_words(),
            "calibration": f"{len(self.crops.calibration)} {self.crops.origin}",
            "files": self.entries,
            "withheld": self.withheld,
        }
        publish_export(self.partial, self.output, contents)
