"""Phase B: megapixels per second of making targets, over those of the bare network's forward pass.

    python -m benchmarks.targets                  # about four minutes on two cores
    python -m benchmarks.targets --data=FOLDER    # your own images; best of 1-2 megapixels

``build_targets`` works as in a run (tiles, d(), anchor, float16 shards, hashes, fsync) in a
temporary directory. It is compared with SR(HR_0) of the bare residual3 on the same whole images.
The two alternate, and the least time of each over the rounds counts, for all images together.
Without ``--data`` the images are the sample images, repeated to 1460x1030 pixels.
"""

import dataclasses
import itertools
import pathlib
import tempfile
from collections.abc import Callable

import numpy as np
import tensorflow as tf
from absl import app, flags

from benchmarks.inputs import define_data_flag, repeated_images
from benchmarks.table import Line, show
from benchmarks.timing import Seconds, now, seconds_of, since
from rts_tf import networks
from rts_tf.config import Config
from rts_tf.data.datasets import ImageSource
from rts_tf.data.degradation import Degradation
from rts_tf.data.shards import ShardSet
from rts_tf.data.source_shards import build_source
from rts_tf.images.resample import halve_shuffled
from rts_tf.inference import Enhancer
from rts_tf.networks.precision import resolve_precision
from rts_tf.training.phase_b import build_targets

FLAGS = flags.FLAGS
define_data_flag()
flags.DEFINE_integer(
    "pictures",
    24,
    "How many images; they repeat if there are fewer. A shard of a run holds eight.",
)
flags.DEFINE_integer("rounds", 3, "How often everything is measured.")

HEIGHT, WIDTH = 1030, 1460
SMALLEST = 16  # pixels a side
CONFIG = Config(network="residual3")


class TimedEnhancer(Enhancer):
    """Notes the seconds of each ``enhance``."""

    seconds: list[Seconds]

    def enhance(self, images: np.ndarray) -> np.ndarray:
        """Enhance as the base class does."""
        began = now()
        result = super().enhance(images)
        self.seconds.append(since(began))
        return result


class Rounds:
    """The least seconds of each part over the rounds, for one image or for all together."""

    def __init__(self):
        self._least: dict[str, dict[str, np.ndarray]] = {}

    def note(self, part: str, image: str, seconds: Seconds) -> None:
        """Keep ``seconds`` if they are the least so far, each clock by itself."""
        times = self._least.setdefault(part, {})
        times[image] = np.minimum(seconds, times.get(image, seconds))

    def total(self, part: str) -> np.ndarray:
        """[2]: the seconds of all images, by the clock and of the processors."""
        return np.sum(list(self._least[part].values()), axis=0)


def main(_: list[str]) -> None:
    """Measure everything, and print the table."""
    precision, rounds = resolve_precision("auto"), Rounds()
    network = networks.build(CONFIG.network, CONFIG.seed, precision)
    enhancer = TimedEnhancer(network, CONFIG.tile)
    signature = tf.TensorSpec([1, None, None, 3], tf.float32)
    forward = tf.function(lambda images: network(images, training=False), [signature])
    d = tf.function(halve_shuffled, [tf.TensorSpec([1, None, None, 12], tf.float32)])
    with tempfile.TemporaryDirectory() as name:
        root = pathlib.Path(name)
        source = build_source(
            root / "source",
            many_images(),
            Degradation.of(CONFIG),
            SMALLEST,
            CONFIG.images_per_shard,
        )
        hr_0 = {
            record.name: record.arrays["hr"][None].astype(np.float32) / 255
            for k in range(len(source.shards))
            for record in source.records(k, {"hr": np.uint8})
        }
        first = next(iter(hr_0.values()))
        enhancer.seconds = []
        forward(first), enhancer.enhance(first[0])
        for number in range(FLAGS.rounds):
            phase_b(root / f"targets_{number}", source, enhancer, rounds)
            rounds.note("forward", "all", seconds_of_all(forward, hr_0))
        for image, values in hr_0.items():
            phases = np.repeat(values, 4, axis=-1)
            for _ in range(FLAGS.rounds + 1):
                rounds.note("d()", image, seconds_of(lambda phases=phases: d(phases)))
    report(rounds, sum(values[0, ..., 0].size for values in hr_0.values()) / 1e6, precision)


def phase_b(
    directory: pathlib.Path, source: ShardSet, enhancer: TimedEnhancer, rounds: Rounds
) -> None:
    """Measure one whole ``build_targets``."""
    enhancer.seconds = []
    began = now()
    made = build_targets(directory, source, enhancer, anchor=CONFIG.anchor, weights="benchmark")
    rounds.note("Phase B", "all", since(began))
    for (name, note), network_and_d in zip(made.notes.items(), enhancer.seconds, strict=True):
        rounds.note("network and d()", name, network_and_d)
        # The note has the time by the clock only, and only that is reported of this part.
        anchor = note["seconds"] - network_and_d.clock
        rounds.note("anchor", name, Seconds(anchor, anchor))


def seconds_of_all(forward: Callable, hr_0: dict[str, np.ndarray]) -> Seconds:
    """Measure the bare forward pass of each image, and add up."""
    each = [seconds_of(lambda values=values: forward(values).numpy()) for values in hr_0.values()]
    return Seconds(*np.sum(each, axis=0))


def report(rounds: Rounds, megapixels: float, precision: str) -> None:
    """Print the ratios, and where the time of Phase B goes."""
    whole, alone, d = rounds.total("Phase B"), rounds.total("forward"), rounds.total("d()")
    lines = []
    for k, what, unit in (
        (0, "Phase B / network's forward", "MP/s"),
        (1, "the same by processor time", "MP/s a core"),
    ):
        details = f"{megapixels / whole[k]:.3f} of {megapixels / alone[k]:.3f} {unit}"
        lines.append(Line(what, alone[k] / whole[k], ">=", 0.85, details))
    title = f"Phase B: {CONFIG.network}, {megapixels:.1f} MP, anchor {CONFIG.anchor}, {precision}"
    show(title, lines)
    network_and_d, anchor = rounds.total("network and d()"), rounds.total("anchor")
    parts = {
        "network in tiles": network_and_d - d,
        "d()": d,
        "anchor": anchor,
        "waiting for writing, hashing and fsync": whole - network_and_d - anchor,
    }
    shares = ", ".join(f"{part} {s[0] / megapixels:.3f}" for part, s in parts.items())
    print(f"Phase B, seconds a megapixel: {shares}")
    print(f"The bare network: {alone[0] / megapixels:.3f}")


def many_images() -> ImageSource:
    """The images that --data names, again and again under numbered names."""
    source = repeated_images(FLAGS.data, HEIGHT, WIDTH)
    numbered = {
        f"{i} {name}": name
        for i, name in zip(range(FLAGS.pictures), itertools.cycle(source.names), strict=False)
    }
    return dataclasses.replace(
        source, names=tuple(numbered), read=lambda name: source.read(numbered[name])
    )


if __name__ == "__main__":
    app.run(main)
