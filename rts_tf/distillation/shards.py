"""The shards of a distillation: luma of images as codecs leave them, and what the teacher makes."""

import pathlib
import shutil
from collections.abc import Callable, Iterator

import numpy as np

from rts_tf.data.datasets import ImageSource
from rts_tf.data.degradation import CodecSettings, Degradation
from rts_tf.data.shard_writer import build
from rts_tf.data.shards import Record, ShardSet
from rts_tf.distillation.config import DistillationConfig
from rts_tf.errors import ConfigError, ImageError, printable
from rts_tf.images.dtypes import to_float
from rts_tf.inference import Enhancer
from rts_tf.luma.enhancer import luma_of
from rts_tf.networks.precision import instruction_set

OnImage = Callable[[str], None]  # is called with the name of each input


def degradation_of(config: DistillationConfig) -> Degradation:
    """How images become inputs: they pass a codec at their own size, or stay as they are."""
    settings = CodecSettings(
        codecs=tuple(config.codecs.split(",")),
        share=config.codec_share,
        kernel="",
        crf_low=config.crf_low,
        crf_high=config.crf_high,
        soft_share=0.0,
        variants=config.variants,
    )
    return Degradation(
        "codec", "bilinear", config.jpeg_low, config.jpeg_high, config.seed, codec=settings
    )


def build_inputs(
    directory: pathlib.Path,
    images: ImageSource,
    config: DistillationConfig,
    smallest: int,
    say: Callable[[str], None],
    on_image: OnImage,
) -> ShardSet:
    """Write the luma of every input, or open the shards that are there.

    The array ``luma`` is uint8 [H, W, 1]. Each image gives as many inputs as the settings have
    variants, named with a number behind the name of the image.

    Args:
        smallest: The shortest side, in pixels, of an image that is used.
        say: Called with one line for each image that is skipped.

    Raises:
        ConfigError: None of the images can be used.
        ShardError: See :func:`rts_tf.data.shard_writer.build`.
    """
    degradation, names, each = degradation_of(config), images.names, config.images_per_shard
    groups = [names[i : i + each] for i in range(0, len(names), each)]

    def records(k: int) -> Iterator[Record]:
        for i, name in enumerate(groups[k]):
            try:
                image = images.read(name)
                if min(image.shape[:2]) < smallest:
                    raise ImageError(f"{name}: is smaller than {smallest} pixels a side")
            except ImageError as error:
                say(printable(f"skipped {error}"))
                continue
            for variant in range(config.variants):
                luma = luma_of(degradation(image, name, variant))
                index = (k * each + i) * config.variants + variant
                yield Record(f"{name} {variant}", index, {"luma": luma[..., None]})
            on_image(name)

    made_from = {"photographs": list(names), "smallest": smallest} | degradation.record()
    dtypes: dict[str, type] = {"luma": np.uint8}
    made = build(directory, len(groups), records, dtypes, made_from, say, made_on=instruction_set())
    if not made.sizes:
        shutil.rmtree(directory)  # so that the same call looks at the images again
        raise ConfigError(
            f"{images.origin}: none of its {len(names)} images can be used; the lines above say"
            f" why. Each needs {smallest} pixels a side (for training, `patch` and a margin)."
        )
    return made


def build_targets(
    directory: pathlib.Path,
    inputs: ShardSet,
    teacher: Enhancer,
    weights: str,
    say: Callable[[str], None],
    on_image: OnImage,
) -> ShardSet:
    """Write what the teacher makes of every input, or open the shards that are there.

    The array ``luma_target`` is float16 [H, W, 1], not clipped.

    Args:
        weights: SHA-256 of the teacher's weights. Shards of other weights are made afresh.

    Raises:
        ShardError: See :func:`rts_tf.data.shard_writer.build`.
    """

    def records(k: int) -> Iterator[Record]:
        for record in inputs.records(k, {"luma": np.uint8}):
            target = taught(teacher, record.arrays["luma"][..., 0])
            yield Record(record.name, record.index, {"luma_target": target[..., None]})
            on_image(record.name)

    made_from = {"source": inputs.fingerprint, "weights": weights}
    dtypes: dict[str, type] = {"luma_target": np.float16}
    count = len(inputs.shards)
    return build(directory, count, records, dtypes, made_from, say, made_on=instruction_set())


def taught(teacher: Enhancer, luma: np.ndarray) -> np.ndarray:
    """The luma that the teacher makes of ``luma``, which it sees as three equal colours.

    Args:
        luma: uint8 [H, W].

    Returns:
        float32 [H, W], nominally in [0, 1], not clipped.
    """
    grey = np.repeat(to_float(luma)[..., None], 3, axis=-1)
    return luma_of(teacher.enhance(grey))


def luma_pairs(inputs: ShardSet, targets: ShardSet) -> Iterator[tuple[str, np.ndarray, np.ndarray]]:
    """Yield the name of each input, its luma, and the target, both float32 [H, W]."""
    for k in range(len(inputs.shards)):
        both = zip(
            inputs.records(k, {"luma": np.uint8}),
            targets.records(k, {"luma_target": np.float16}),
            strict=True,
        )
        for one, other in both:
            luma, target = one.arrays["luma"], other.arrays["luma_target"]
            yield one.name, to_float(luma[..., 0]), target[..., 0].astype(np.float32)
