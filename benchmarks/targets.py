"""Phase B: megapixels per second of making targets, over those of the network's forward pass alone.

    python -m benchmarks.targets                  # about four minutes on two cores
    python -m benchmarks.targets --data=FOLDER    # own photographs; best of 1-2 megapixels

``build_targets`` as in a run (tiles, d(), anchor, float16 shards, hashes, fsync) in a temporary directory, against
SR(HR_0) of the bare residual3 on the same whole pictures; the two take turns, and of each the least time over the rounds
counts, for all pictures together. Without ``--data``: photographs from scikit-image, repeated to 1460x1030 pixels.
"""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")  # as the commands do

import dataclasses
import itertools
import pathlib
import tempfile

import numpy as np
import tensorflow as tf
from absl import app, flags

from benchmarks.table import Line, now, seconds_of, show
from rts_tf import networks
from rts_tf.config import Config
from rts_tf.data.datasets import SAMPLE_TRAIN, ImageSource, folder, sample
from rts_tf.data.degradation import Degradation
from rts_tf.data.source_shards import build_source
from rts_tf.images.resample import halve_shuffled
from rts_tf.inference import Enhancer
from rts_tf.networks.precision import resolve_precision
from rts_tf.training.phase_b import build_targets

FLAGS = flags.FLAGS
flags.DEFINE_string(
    "data", "", "Folder of photographs; empty: photographs from scikit-image, repeated."
)
flags.DEFINE_integer(
    "pictures",
    24,
    "How many photographs, those there are again and again; a shard of a run holds eight.",
)
flags.DEFINE_integer("rounds", 3, "Times that everything is measured.")

HEIGHT, WIDTH = 1030, 1460
SMALLEST = 16  # pixels a side
CONFIG = Config()


class TimedEnhancer(Enhancer):
    """Notes the seconds of each ``enhance``."""

    seconds: list[np.ndarray]

    def enhance(self, images: np.ndarray) -> np.ndarray:
        began = now()
        result = super().enhance(images)
        self.seconds.append(now() - began)
        return result


class Rounds:
    """The least seconds of each part, of a picture or of all, over the rounds, by the clock and of all processors together."""

    def __init__(self):
        self.least: dict[str, dict[str, np.ndarray]] = {}

    def note(self, part: str, picture: str, seconds: np.ndarray) -> None:
        """Keep ``seconds`` if they are the least so far."""
        times = self.least.setdefault(part, {})
        times[picture] = np.minimum(seconds, times.get(picture, seconds))

    def total(self, part: str) -> np.ndarray:
        return np.sum(list(self.least[part].values()), axis=0)


def main(_) -> None:
    precision, rounds = resolve_precision("auto"), Rounds()
    network = networks.build(CONFIG.network, CONFIG.seed, precision)
    enhancer = TimedEnhancer(network, CONFIG.tile)
    signature = tf.TensorSpec([1, None, None, 3], tf.float32)
    forward = tf.function(lambda images: network(images, training=False), [signature])
    d = tf.function(halve_shuffled, [tf.TensorSpec([1, None, None, 12], tf.float32)])
    with tempfile.TemporaryDirectory() as name:
        root, photos = pathlib.Path(name), photographs()
        source = build_source(
            root / "source", photos, Degradation.of(CONFIG), SMALLEST, CONFIG.images_per_shard
        )
        pictures = {
            record.name: record.arrays["hr"][None].astype(np.float32) / 255
            for k in range(len(source.shards))
            for record in source.records(k, {"hr": np.uint8})
        }
        first = next(iter(pictures.values()))
        enhancer.seconds = []
        forward(first), enhancer.enhance(first[0])
        for number in range(FLAGS.rounds):
            phase_b(root / f"targets_{number}", source, enhancer, forward, pictures, rounds)
        for picture, values in pictures.items():
            phases = np.repeat(values, 4, axis=-1)
            for _ in range(FLAGS.rounds + 1):
                rounds.note("d()", picture, seconds_of(lambda phases=phases: d(phases)))
    report(rounds, sum(values[0, ..., 0].size for values in pictures.values()) / 1e6, precision)


def phase_b(directory, source, enhancer, forward, pictures: dict, rounds: Rounds) -> None:
    """One whole build_targets, then the bare forward pass of each picture."""
    enhancer.seconds = []
    began = now()
    made = build_targets(directory, source, enhancer, CONFIG.anchor, "benchmark")
    rounds.note("Phase B", "all", now() - began)
    for name, network_and_d in zip(pictures, enhancer.seconds, strict=True):
        rounds.note("network and d()", name, network_and_d)
        rounds.note(
            "anchor", name, made.notes[name]["seconds"] - network_and_d
        )  # only the clock's are used
    forwards = [
        seconds_of(lambda values=values: forward(values).numpy()) for values in pictures.values()
    ]
    rounds.note("forward", "all", np.sum(forwards, axis=0))


def report(rounds: Rounds, megapixels: float, precision: str) -> None:
    whole, alone, d = rounds.total("Phase B"), rounds.total("forward"), rounds.total("d()")
    lines = []
    for k, what, unit in (
        (0, "Phase B / network's forward", "MP/s"),
        (1, "the same by processor time", "MP/s a core"),
    ):
        details = f"{megapixels / whole[k]:.3f} of {megapixels / alone[k]:.3f} {unit}"
        lines.append(Line(what, alone[k] / whole[k], ">=", 0.85, details))
    show(
        f"Phase B: {CONFIG.network}, {megapixels:.1f} MP, anchor {CONFIG.anchor}, {precision}",
        lines,
    )
    network_and_d, anchor = rounds.total("network and d()"), rounds.total("anchor")
    parts = {
        "network in tiles": network_and_d - d,
        "d()": d,
        "anchor": anchor,
        "writing, hash, fsync, as far as the network waits for them": whole
        - network_and_d
        - anchor,
    }
    print(
        "Phase B, seconds a megapixel: "
        + ", ".join(f"{part} {s[0] / megapixels:.3f}" for part, s in parts.items())
    )
    print(f"The bare network: {alone[0] / megapixels:.3f}")


def photographs() -> ImageSource:
    """The pictures to work on."""
    photos = folder(FLAGS.data) if FLAGS.data else sample(SAMPLE_TRAIN)
    numbered = {
        f"{i} {name}": name for i, name in zip(range(FLAGS.pictures), itertools.cycle(photos.names))
    }

    def read(number: str) -> np.ndarray:
        image = photos.read(numbered[number])
        if FLAGS.data:
            return image
        times = -(-HEIGHT // image.shape[0]), -(-WIDTH // image.shape[1]), 1
        return np.ascontiguousarray(np.tile(image, times)[:HEIGHT, :WIDTH])

    return dataclasses.replace(photos, names=tuple(numbered), read=read)


if __name__ == "__main__":
    app.run(main)
