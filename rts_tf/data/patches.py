"""The input pipeline of Phase A: cuts shuffled batches of patches out of source and target shards.

The order is a pure function of (seed, stage, step), so a run that was stopped goes on with the
batches that an unbroken run would have seen.

Every image has the same number of patch positions, which are drawn at random. An epoch uses each
position once. It is divided into passes: in a pass every image is read once and gives up to
``PATCHES_PER_PASS`` patches, which go through a shuffle buffer. At each reading one of the variants
of its LR is drawn.
"""

import dataclasses
import math
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from rts_tf.data.shards import ShardSet, channels_of, parse

PATCHES_PER_PASS = 10
_BUFFER_BYTES = 256 * 2**20
# Mixed into the seed, so that patch positions and shuffling are independent
_SHUFFLE_SALT = 0x525453
_POSITION_SALT = 0x504C4143
_VARIANT_SALT = 0x5641524E
_COLOUR_SALT = 0x434F4C52
_BEYOND = 0.15  # colours are drawn from a range wider than [0, 1] by this, so that many are pure


class Arrays(NamedTuple):
    """What a patch is cut from: an array of the source shards, and one of the target shards.

    Attributes:
        source: The name of the array that goes into the network.
        target: The name of the array that it is compared with.
        scale: How many times larger the second one is.
    """

    source: str
    target: str
    scale: int


IMAGES, LUMA = Arrays("lr", "target", 2), Arrays("luma", "luma_target", 1)


def training_batches(
    source: ShardSet,
    targets: ShardSet | None,
    *,
    patch: int,
    batch: int,
    positions: int,
    seed: int,
    stage: int,
    first_step: int = 0,
    flat_share: float = 0.0,
    arrays: Arrays = IMAGES,
) -> tf.data.Dataset:
    """The endless dataset of the batches of a stage.

    Args:
        source: Shards with ``hr`` and ``lr``, or with the array that ``arrays`` names.
        targets: Shards of HR_{n-1} (``target``) that were made from ``source``; None in stage 1,
            whose target is HR_0.
        patch: The side of a target patch in pixels, a multiple of the scale of ``arrays``.
        batch: The number of patches in a batch, over all replicas.
        positions: The number of patch positions in each image.
        stage: The number of the stage, from 1.
        first_step: The training step of the first batch, from 0.
        flat_share: The share of the patches that become one colour, drawn at random, in LR and
            target alike: a network that has seen no pure colours moves them by several levels.
        arrays: What patches are cut from: :data:`IMAGES` or :data:`LUMA`.

    Returns:
        Elements (LR, target). LR is float32 [batch, patch/2, patch/2, 3] in [0, 1]. The target is
        float32 [batch, patch, patch, 3], not clipped. With :data:`LUMA`, both are [.., patch, 1].
    """
    cutter = _PatchCutter(patch, positions, seed, stage, arrays)
    images = len(source.sizes)
    epoch, number = divmod(first_step * batch, images * positions)
    pass_of_epoch, skipped = divmod(number, images * cutter.per_pass)
    first_pass = epoch * cutter.passes + pass_of_epoch
    sets = [source, targets] if targets else [source]
    files = tf.constant(list(zip(*(own.files for own in sets), strict=True)))
    seeds = (tf.constant([seed, salt], tf.int64) for salt in (_SHUFFLE_SALT, _COLOUR_SALT))
    root, colours = (_fold_in(own, stage) for own in seeds)
    buffer = max(1, min(images * cutter.per_pass, _BUFFER_BYTES // cutter.patch_bytes))

    def patches_of_pass(number: tf.Tensor) -> tf.data.Dataset:
        """All patches of one pass, shuffled."""
        turn = _fold_in(root, number)
        order = tf.argsort(tf.random.stateless_uniform([len(source.files)], turn))
        shards = tf.data.Dataset.from_tensor_slices(tf.gather(files, order))
        images = shards.interleave(_read, cycle_length=4, num_parallel_calls=1)
        patches = images.map(lambda *image: cutter.cut(number, *image)).unbatch()
        return patches.shuffle(buffer, seed=turn[0], reshuffle_each_iteration=False)

    def finished(step: tf.Tensor, pair: tuple[tf.Tensor, tf.Tensor]) -> tuple[tf.Tensor, tf.Tensor]:
        lr, target = cutter.floats(batch, pair)
        own = _fold_in(colours, step)
        return _with_flat_patches(lr, target, flat_share, own) if flat_share else (lr, target)

    dataset = tf.data.Dataset.range(first_pass, 2**62).flat_map(patches_of_pass).skip(skipped)
    dataset = dataset.batch(batch, drop_remainder=True).enumerate(first_step)
    return dataset.map(finished, num_parallel_calls=1).prefetch(8).with_options(_options())


@dataclasses.dataclass(frozen=True)
class _PatchCutter:
    """Cuts patches out of source images, and of their targets."""

    patch: int
    positions: int
    seed: int
    stage: int
    arrays: Arrays

    @property
    def per_pass(self) -> int:
        """The number of patches that an image gives in a pass (in the last of an epoch, fewer)."""
        return min(self.positions, PATCHES_PER_PASS)

    @property
    def patch_bytes(self) -> int:
        """About the bytes of a patch of the target and of LR, as float32."""
        return self.patch * self.patch * 3 * 5

    @property
    def passes(self) -> int:
        """The number of passes in an epoch."""
        return math.ceil(self.positions / self.per_pass)

    def cut(
        self, number: tf.Tensor, source: tf.Tensor, target_image: tf.Tensor | None = None
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """The patches of LR and of the target that one image gives in pass ``number``.

        Without a serialized ``target_image`` the target is HR_0.
        """
        own, scale = self.arrays.source, self.arrays.scale
        wanted = {own: np.uint8} if target_image is not None else {own: np.uint8, "hr": np.uint8}
        image = parse(source, wanted, self._draw_variant(number, source))
        if target_image is not None:
            other = parse(target_image, {self.arrays.target: np.float16})
            message = "source and target shards do not match"
            tf.debugging.assert_equal(image["name"], other["name"], message)
            target = other[self.arrays.target]
        else:
            target = image["hr"]
        chosen = self._choose_positions(number, image)
        lr = self._crops(image[own], chosen, self.patch // scale)
        return lr, self._crops(target, scale * chosen, self.patch)

    def _crops(self, image: tf.Tensor, corners: tf.Tensor, side: int) -> tf.Tensor:
        """The squares of an image whose upper left corners are given, int32 [n, 2]: [n, ...]."""
        count = tf.shape(corners)[0]  # fewer than in the other passes in the last of an epoch
        corners = tf.pad(corners, [[0, self.per_pass - count], [0, 1]])
        size = [side, side, image.shape[2]]
        each = tf.unstack(corners, self.per_pass)
        return tf.stack([tf.slice(image, corner, size) for corner in each])[:count]

    def floats(self, batch: int, pair: tuple[tf.Tensor, tf.Tensor]) -> tuple[tf.Tensor, tf.Tensor]:
        """A batch of (LR, target) as float32, with its static shape."""
        side, channels = self.patch // self.arrays.scale, channels_of(self.arrays.source)
        lr = _to_float(tf.ensure_shape(pair[0], [batch, side, side, channels]))
        target = _to_float(tf.ensure_shape(pair[1], [batch, self.patch, self.patch, channels]))
        return lr, target

    def _draw_variant(self, number: tf.Tensor, serialized_source: tf.Tensor) -> tf.Tensor:
        """A number that chooses the variant of LR in pass ``number``: int64, at least 0."""
        seed = tf.constant([self.seed, _VARIANT_SALT], tf.int64)
        index = parse(serialized_source, {})["index"]
        visit = tf.constant(self.stage, tf.int64) * 2**32 + number
        own = _fold_in(_fold_in(seed, index), visit)
        return tf.random.stateless_uniform([], own, 0, 2**62, tf.int64)

    def _choose_positions(self, number: tf.Tensor, image: dict[str, tf.Tensor]) -> tf.Tensor:
        """The patch positions of pass ``number``: int32 [n, 2], upper left corners in LR pixels."""
        seed = tf.constant([self.seed, _POSITION_SALT], tf.int64)
        own = _fold_in(seed, image["index"])
        scale = self.arrays.scale
        room = tf.cast(image["size"] // scale - self.patch // scale + 1, tf.float32)
        positions = tf.random.stateless_uniform([self.positions, 2], own) * room
        # float32 may round up to the end
        positions = tf.minimum(tf.cast(positions, tf.int32), tf.cast(room, tf.int32) - 1)
        epoch = tf.constant(self.stage, tf.int64) * 2**32 + number // self.passes
        order = tf.argsort(tf.random.stateless_uniform([self.positions], _fold_in(own, epoch)))
        first = tf.cast(number % self.passes, tf.int32) * self.per_pass
        return tf.gather(positions, order[first : first + self.per_pass])


def _with_flat_patches(
    lr: tf.Tensor, target: tf.Tensor, share: float, seed: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor]:
    """Replace a share of the patches of a batch by one colour each, in LR and target alike."""
    batch = tf.shape(lr)[0]
    chosen = tf.random.stateless_uniform([batch, 1, 1, 1], _fold_in(seed, 0)) < share
    drawn = tf.random.stateless_uniform([batch, 1, 1, 3], _fold_in(seed, 1), -_BEYOND, 1 + _BEYOND)
    colour = tf.clip_by_value(drawn, 0.0, 1.0)
    return tf.where(chosen, colour, lr), tf.where(chosen, colour, target)


def _read(paths: tf.Tensor) -> tf.data.Dataset:
    """The serialized images of the shards that ``paths`` names, side by side."""
    return tf.data.Dataset.zip(tuple(map(tf.data.TFRecordDataset, tf.unstack(paths))))


def _to_float(image: tf.Tensor) -> tf.Tensor:
    """uint8 becomes float32 in [0, 1]; floating point becomes float32."""
    levels = image.dtype == tf.uint8
    return tf.cast(image, tf.float32) / 255.0 if levels else tf.cast(image, tf.float32)


def _fold_in(seed: tf.Tensor, number: int | tf.Tensor) -> tf.Tensor:
    return tf.random.experimental.stateless_fold_in(seed, number)


def _options() -> tf.data.Options:
    options = tf.data.Options()
    options.autotune.enabled = False  # its end-of-iterator wait can cost seconds in a short stage
    options.deterministic = True
    return options
