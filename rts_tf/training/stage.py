"""One stage of a run: its files, its weights, and its metrics."""

import functools
import pathlib
import shutil

import keras
import numpy as np

from rts_tf.errors import RtsError
from rts_tf.inference import load
from rts_tf.networks.weights import weights_sha256
from rts_tf.storage import atomic_path, read_json, write_json


class Stage:
    """The directory ``stage_N`` of a run.

    Attributes:
        number: N, from 1.
        root: The directory, which the first writer makes.
    """

    def __init__(self, number: int, root: pathlib.Path):
        self.number, self.root = number, root
        self.model_file = root / "model.keras"
        self.checkpoints = root / "checkpoint"
        self.crops_file = root / "crops.npz"
        self.quality_file = root / "quality.json"
        self._metrics_file = root / "metrics.json"
        self._phase_a_file = root / "phase_a.json"

    @property
    def is_trained(self) -> bool:
        """Whether Phase A is over."""
        return self._phase_a_file.exists() and self.model_file.exists()

    @property
    def is_over(self) -> bool:
        """Whether the stage was validated, which is the last thing that happens to it."""
        return self.metrics() != {}

    def shards(self, images: str) -> pathlib.Path:
        """The directory of HR_N of the ``"training"`` or the ``"validation"`` images."""
        return self.root / {"training": "targets", "validation": "validation"}[images]

    def metrics(self) -> dict:
        """The metrics of a stage that is over, else an empty dict."""
        return read_json(self._metrics_file) or {}

    def write_metrics(self, metrics: dict) -> None:
        """Write the metrics, which closes the stage. The figures of Phase A are put in front."""
        phase_a = read_json(self._phase_a_file) or {}
        weights = weights_sha256(self.weights)
        record = {"stage": self.number, **phase_a, **metrics, "weights_sha256": weights}
        write_json(self._metrics_file, record, sealed=True)

    def write_network(self, network: keras.Model, phase_a: dict) -> None:
        """Write SR_N and the record of Phase A, which ends Phase A. The checkpoints go."""
        write_json(self._phase_a_file, phase_a, sealed=True)
        with atomic_path(self.model_file) as temporary:
            network.save(temporary)
        self.remove(self.checkpoints)

    @functools.cached_property
    def weights(self) -> list[np.ndarray]:
        """The weights of SR_N.

        Raises:
            RtsError: The file is damaged, or is not the network that the stage was validated with.
        """
        validated = self.metrics().get("weights_sha256")
        try:
            weights = load(self.model_file).network.get_weights()
            if validated in (None, weights_sha256(weights)):
                return weights
            problem = f"{self.model_file}: does not have the weights that the stage was judged by"
        except RtsError as error:
            problem = str(error)
        raise RtsError(
            f"{problem}; delete {self.root} and run the command again, which makes stage"
            f" {self.number} again."
        )

    def copy_network(self, path: pathlib.Path) -> None:
        """Copy SR_N to ``path``."""
        with atomic_path(path) as temporary:
            shutil.copyfile(self.model_file, temporary)

    def write_phase_b_seconds(self, images: str, seconds: float) -> None:
        """Note how long Phase B took for the ``"training"`` or the ``"validation"`` images."""
        write_json(self.root / f"phase_b_{self.shards(images).name}.json", {"seconds": seconds})

    def phase_b_seconds(self) -> float:
        """How long Phase B took for all images."""
        files, number = self.root.glob("phase_b_*.json"), {"seconds": (int, float)}
        records = (read_json(file, number) or {"seconds": 0.0} for file in files)
        return sum(record["seconds"] for record in records)

    def remove(self, *directories: pathlib.Path) -> None:
        """Remove directories of this stage that are no longer needed."""
        for directory in directories:
            shutil.rmtree(directory, ignore_errors=True)
