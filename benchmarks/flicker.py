"""Whether the network makes noise flicker: on a static noisy scene, the variance over time of its output over the input's.

    python -m benchmarks.flicker --model=RUN                  # about a minute on two cores
    python -m benchmarks.flicker --model=RUN --data=FOLDER

Frames of one photograph with fresh white noise in each go through the network as films do, in 8 bits, luma alone. The mean
gain is the one on this noise in space, in a single picture: the root mean square of what the noise adds to the output over
that of the noise. The network sees one frame at a time, so its output may flicker by the square of that, and by no more.

How much that is depends on the noise: the network takes strong noise for detail. So the square of its gain on faint noise, a
quarter of a level, stands beside it, and the same of the unsharp mask, whose gain is always the same.
"""

from collections.abc import Callable
from fractions import Fraction

import numpy as np
from absl import app, flags

from benchmarks.inputs import define_data_flag, define_model_flag, images
from benchmarks.table import Line, show
from rts_tf.enhance.yuv import YuvEnhancer
from rts_tf.images.dtypes import to_uint8
from rts_tf.inference import load
from rts_tf.metrics.artifacts import LUMA
from rts_tf.metrics.unsharp import unsharp_mask
from rts_tf.video.reader import Film

FLAGS = flags.FLAGS
define_model_flag()
define_data_flag()
flags.DEFINE_integer("pictures", 4, "How many photographs.")
flags.DEFINE_integer("frames", 16, "Frames of each scene.")
flags.DEFINE_multi_float("noise", [1.0, 3.0, 8.0], "Its standard deviation in levels of 255.")

HEIGHT, WIDTH, FAINT = 256, 384, 0.25
AMOUNT = 0.8  # of the unsharp mask that scores like the network

Scene = np.ndarray  # float32 [H, W], luma in [0, 1]
Way = Callable[[np.ndarray], np.ndarray]  # [frames, H, W] to the same


def main(_) -> None:
    model = load(FLAGS.model, "float32")
    film = Film(
        "scene",
        0,
        WIDTH,
        HEIGHT,
        "gray",
        "gray",
        True,
        1,
        1,
        1,
        Fraction(1),
        None,
        False,
        Fraction(1, 24),
        0,
        Fraction(24),
        FLAGS.frames,
    )
    network = YuvEnhancer(model, film)

    def network8(frames: np.ndarray) -> np.ndarray:
        pairs = (network([(frames[i],), (frames[i + 1],)]) for i in range(0, len(frames), 2))
        return np.stack([planes[0] for pair in pairs for planes in pair])

    def network_float(frames: np.ndarray) -> np.ndarray:
        return model.enhance(np.repeat(frames[..., None], 3, axis=-1)) @ np.float32(
            [0.2126, 0.7152, 0.0722]
        )  # BT.709

    ways = {
        "network": (network8, network_float),
        "unsharp mask": (lambda frames: to_uint8(masked(frames / np.float32(255))), masked),
    }
    scenes, lines = list(photographs()), []
    for name, (in_8_bits, in_float) in ways.items():
        faint = np.mean([faint_gain(scene, in_float, seed) for seed, scene in enumerate(scenes)])
        for level in FLAGS.noise:
            found = [variances(scene, in_8_bits, level, seed) for seed, scene in enumerate(scenes)]
            ratio, gain = np.mean(found, axis=0)
            details = f"{ratio:.3f} of {gain:.3f}; on faint noise {faint:.3f}"
            lines.append(Line(f"{name}, noise of {level:g}", ratio / gain, "<=", 1, details))
    show(
        f"Variance over time / square of the mean gain, {len(scenes)} static scenes of {FLAGS.frames} frames",
        lines,
    )


def masked(frames: np.ndarray) -> np.ndarray:
    return np.stack([unsharp_mask(frame, AMOUNT) for frame in frames])


def variances(scene: Scene, way: Way, level: float, seed: int) -> tuple[float, float]:
    """In 8 bits: variance over time of the output over that of the input, mean over all pixels; square of the mean gain."""
    noise = (
        np.random.default_rng(seed)
        .normal(0, level / 255, (FLAGS.frames, *scene.shape))
        .astype(np.float32)
    )
    clean, before = to_uint8(scene), to_uint8(scene + noise)
    after = way(before)
    added = after.astype(np.float64) - way(np.stack([clean, clean]))[0]
    gain = np.square(added).mean() / np.square(before.astype(np.float64) - clean).mean()
    return float(
        after.var(axis=0, dtype=np.float64).mean() / before.var(axis=0, dtype=np.float64).mean()
    ), float(gain)


def faint_gain(scene: Scene, way: Way, seed: int) -> float:
    """The square of the mean gain on noise so faint that the network is linear, in floating point."""
    noise = (
        np.random.default_rng(100 + seed)
        .normal(0, FAINT / 255, (FLAGS.frames, *scene.shape))
        .astype(np.float32)
    )
    added = way(scene + noise) - way(scene[None])
    return float(
        np.square(added, dtype=np.float64).mean() / np.square(noise, dtype=np.float64).mean()
    )


def photographs():
    """Scenes from the middle of the pictures, pulled a little together so that noise is not clipped."""
    photos = images(FLAGS.data)
    for name in photos.names[: FLAGS.pictures]:
        picture = photos.read(name)
        top, left = (picture.shape[0] - HEIGHT) // 2, (picture.shape[1] - WIDTH) // 2
        yield (
            0.15 + 0.7 * (picture[top : top + HEIGHT, left : left + WIDTH] / np.float32(255)) @ LUMA
        )


if __name__ == "__main__":
    app.run(main)
