"""Whether the network makes noise flicker, measured on static noisy scenes.

    python -m benchmarks.flicker --model=RUN                  # about a minute on two cores
    python -m benchmarks.flicker --model=RUN --data=FOLDER

Frames of one image, each with fresh white noise, go through the network as video does: in 8 bits,
luma alone. The table shows the variance over time of the output over that of the input, beside the
square of the mean gain. The mean gain is that of the same noise in space, in a single image: the
root mean square of what the noise adds to the output, over that of the noise. The network sees one
frame at a time, so its output may flicker by the square of the gain, and by no more.

The gain depends on the noise, since the network takes strong noise for detail. Therefore the square
of the gain on faint noise, a quarter of a level, stands beside it. The same is measured for an
unsharp mask, whose gain does not depend on the noise.
"""

from collections.abc import Callable, Iterator
from fractions import Fraction

import numpy as np
from absl import app, flags

from benchmarks.inputs import define_data_flag, define_model_flag, images
from benchmarks.table import Line, show
from rts_tf.enhance.yuv import YuvEnhancer
from rts_tf.images.dtypes import to_uint8
from rts_tf.inference import Enhancer, load
from rts_tf.metrics.artifacts import LUMA
from rts_tf.metrics.unsharp import unsharp_mask
from rts_tf.video.info import VideoInfo

FLAGS = flags.FLAGS
define_model_flag()
define_data_flag()
flags.DEFINE_integer("pictures", 4, "How many images.")
flags.DEFINE_integer("frames", 16, "Frames of each scene.")
flags.DEFINE_multi_float("noise", [1.0, 3.0, 8.0], "Its standard deviation in levels of 255.")

HEIGHT, WIDTH = 256, 384
FAINT = 0.25  # levels of 255
AMOUNT = 0.8  # of the unsharp mask that scores like the network
BT709_WEIGHTS = np.float32([0.2126, 0.7152, 0.0722])

Scene = np.ndarray  # float32 [H, W], luma in [0, 1]
Way = Callable[[np.ndarray], np.ndarray]  # [frames, H, W] to the same


def main(_: list[str]) -> None:
    """Measure and print the table."""
    found, lines = list(scenes()), []
    for name, (in_8_bits, in_float) in ways(load(FLAGS.model, "float32")).items():
        faint = np.mean([faint_gain(scene, in_float, seed) for seed, scene in enumerate(found)])
        for level in FLAGS.noise:
            rows = [variances(scene, in_8_bits, level, seed) for seed, scene in enumerate(found)]
            ratio, gain = np.mean(rows, axis=0)
            details = f"{ratio:.3f} of {gain:.3f}; on faint noise {faint:.3f}"
            lines.append(Line(f"{name}, noise of {level:g}", ratio / gain, "<=", 1, details))
    show(
        f"Variance over time / square of the mean gain, {len(found)} static scenes of"
        f" {FLAGS.frames} frames",
        lines,
    )


def ways(model: Enhancer) -> dict[str, tuple[Way, Way]]:
    """The network and the unsharp mask, each as functions of uint8 and of float32 frames."""
    network = YuvEnhancer(model, scene_info())

    def network8(frames: np.ndarray) -> np.ndarray:
        pairs = (network([(frames[i],), (frames[i + 1],)]) for i in range(0, len(frames), 2))
        return np.stack([planes[0] for pair in pairs for planes in pair])

    def network_float(frames: np.ndarray) -> np.ndarray:
        return model.enhance(np.repeat(frames[..., None], 3, axis=-1)) @ BT709_WEIGHTS

    def masked8(frames: np.ndarray) -> np.ndarray:
        return to_uint8(masked(frames / np.float32(255)))

    return {"network": (network8, network_float), "unsharp mask": (masked8, masked)}


def scene_info() -> VideoInfo:
    """A grey video of full range."""
    return VideoInfo(
        path="scene",
        stream_index=0,
        width=WIDTH,
        height=HEIGHT,
        source_format="gray",
        format="gray",
        full_range=True,
        matrix=1,
        primaries=1,
        transfer=1,
        aspect=Fraction(1),
        display_matrix=None,
        hdr=None,
        time_base=Fraction(1, 24),
        length=0,
        rate=Fraction(24),
        estimate=FLAGS.frames,
    )


def masked(frames: np.ndarray) -> np.ndarray:
    """The unsharp mask of each frame."""
    return np.stack([unsharp_mask(frame, AMOUNT) for frame in frames])


def variances(scene: Scene, way: Way, level: float, seed: int) -> tuple[float, float]:
    """Measure one scene in 8 bits.

    Returns:
        The variance over time of the output over that of the input, each the mean of all pixels;
        and the square of the mean gain.
    """
    clean, before = to_uint8(scene), to_uint8(scene + noise_of(scene, level, seed))
    after = way(before)
    added = after.astype(np.float64) - way(np.stack([clean, clean]))[0]
    gain = np.square(added).mean() / np.square(before.astype(np.float64) - clean).mean()
    over_time = (frames.var(axis=0, dtype=np.float64).mean() for frames in (after, before))
    output, given = over_time
    return float(output / given), float(gain)


def faint_gain(scene: Scene, way: Way, seed: int) -> float:
    """The square of the mean gain on noise so faint that the network is linear, in float32."""
    noise = noise_of(scene, FAINT, 100 + seed)
    added = way(scene + noise) - way(scene[None])
    output, given = (np.square(values, dtype=np.float64).mean() for values in (added, noise))
    return float(output / given)


def noise_of(scene: Scene, level: float, seed: int) -> np.ndarray:
    """White noise for each frame, float32 [frames, H, W]; ``level`` is its std in levels of 255."""
    shape = FLAGS.frames, *scene.shape
    return np.random.default_rng(seed).normal(0, level / 255, shape).astype(np.float32)


def scenes() -> Iterator[Scene]:
    """The middle of each image, with less contrast so that noise is not clipped."""
    source = images(FLAGS.data)
    for name in source.names[: FLAGS.pictures]:
        image = source.read(name)
        top, left = (image.shape[0] - HEIGHT) // 2, (image.shape[1] - WIDTH) // 2
        window = image[top : top + HEIGHT, left : left + WIDTH] / np.float32(255)
        yield 0.15 + 0.7 * window @ LUMA


if __name__ == "__main__":
    app.run(main)
