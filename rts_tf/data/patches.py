"""The tf.data pipeline of Phase A: source and target shards in lockstep, cut into patches.

The order is a pure function of (seed, stage, step), so a run that was stopped sees what an unbroken one would have seen.
Every picture has ``places`` seeded, even-aligned places. An epoch uses each of them once; it is divided into visits, and
on a visit every picture is read once and gives up to PATCHES_PER_VISIT patches, which pass through a shuffle buffer.
"""

import math

import tensorflow as tf

from rts_tf.data.shards import ShardSet

PATCHES_PER_VISIT = 10
_BUFFER_BYTES = 256 * 2**20


def training_batches(
    source: ShardSet,
    targets: ShardSet | None,
    *,
    patch: int,
    batch: int,
    places: int,
    seed: int,
    stage: int,
    first_step: int = 0,
) -> tf.data.Dataset:
    """An endless dataset of the batches of ``stage`` from ``first_step`` (counted from 0) on.

    Args:
        source: shards with ``hr`` and ``lr`` (rts_tf.data.source_shards).
        targets: shards of HR_{n-1} (``target``), made from ``source``; None in stage 1, where the target is HR_0.
        patch: side of a target patch, even.
        batch: patches in a batch, over all replicas.
        places: patches per picture and epoch.

    Returns:
        Elements (lr, target): float32 [batch, patch/2, patch/2, 3] in [0, 1] and float32 [batch, patch, patch, 3],
        nominally in [0, 1], not clipped.
    """
    images = len(source.sizes)
    per_visit = min(places, PATCHES_PER_VISIT)
    visits = math.ceil(places / per_visit)
    epoch, place = divmod(first_step * batch, images * places)
    visit, skipped = divmod(place, images * per_visit)
    first_visit = epoch * visits + visit
    files = tf.constant(list(zip(source.files, (targets or source).files, strict=True)))
    root = tf.random.experimental.stateless_fold_in(tf.constant([seed, 0x525453], tf.int64), stage)
    patch_bytes = patch * patch * 3 * 5  # float32 target, and LR
    buffer = max(1, min(images * per_visit, _BUFFER_BYTES // patch_bytes))

    def patches_of_visit(number):
        """All patches of one visit, shuffled."""
        turn = tf.random.experimental.stateless_fold_in(root, number)
        order = tf.argsort(tf.random.stateless_uniform([len(source.files)], turn))
        shards = tf.data.Dataset.from_tensor_slices(tf.gather(files, order))
        pictures = shards.interleave(
            pairs_of_shard, cycle_length=4, num_parallel_calls=1, deterministic=True
        )
        chosen = pictures.flat_map(lambda *picture: cut(number, *picture))
        return chosen.shuffle(buffer, seed=turn[0], reshuffle_each_iteration=False)

    def pairs_of_shard(paths):
        return tf.data.Dataset.zip(
            (tf.data.TFRecordDataset(paths[0]), tf.data.TFRecordDataset(paths[1]))
        )

    def cut(number, raw_source, raw_target):
        """The patches that one picture gives on one visit."""
        picture = tf.io.parse_single_example(raw_source, _features("hr", "lr"))
        height, width = picture["size"][0], picture["size"][1]
        lr = tf.reshape(tf.io.decode_raw(picture["lr"], tf.uint8), [height // 2, width // 2, 3])
        if targets is None:
            target = tf.reshape(tf.io.decode_raw(picture["hr"], tf.uint8), [height, width, 3])
        else:
            other = tf.io.parse_single_example(raw_target, _features("target"))
            tf.debugging.assert_equal(
                picture["name"], other["name"], "source and target shards do not match"
            )
            target = tf.reshape(tf.io.decode_raw(other["target"], tf.float16), [height, width, 3])
        mine = tf.random.experimental.stateless_fold_in(
            tf.constant([seed, 0x504C4143], tf.int64), picture["index"]
        )
        room = tf.cast(tf.stack([height, width]) // 2 - patch // 2 + 1, tf.float32)
        corners = tf.cast(tf.random.stateless_uniform([places, 2], mine) * room, tf.int32)
        corners = tf.minimum(
            corners, tf.cast(room, tf.int32) - 1
        )  # float32 may round up to the end
        turn = tf.random.experimental.stateless_fold_in(
            mine, tf.constant(stage, tf.int64) * 2**32 + number // visits
        )
        order = tf.argsort(tf.random.stateless_uniform([places], turn))
        first = tf.cast(number % visits, tf.int32) * per_visit
        chosen = tf.gather(corners, order[first : first + per_visit])

        def crop(corner):
            y, x, half = corner[0], corner[1], patch // 2
            return lr[y : y + half, x : x + half], target[
                2 * y : 2 * y + patch, 2 * x : 2 * x + patch
            ]

        return tf.data.Dataset.from_tensor_slices(chosen).map(crop)

    def to_float(lr, target):
        lr = tf.ensure_shape(lr, [batch, patch // 2, patch // 2, 3])
        target = tf.ensure_shape(target, [batch, patch, patch, 3])
        target = (
            tf.cast(target, tf.float32) / 255.0
            if target.dtype == tf.uint8
            else tf.cast(target, tf.float32)
        )
        return tf.cast(lr, tf.float32) / 255.0, target

    options = tf.data.Options()
    options.autotune.enabled = False  # its end-of-iterator wait can cost seconds in a short stage
    options.deterministic = True
    # With several workers each takes its share of every batch, whatever shards it comes from.
    options.experimental_distribute.auto_shard_policy = tf.data.experimental.AutoShardPolicy.DATA
    dataset = tf.data.Dataset.range(first_visit, 2**62).flat_map(patches_of_visit).skip(skipped)
    dataset = dataset.batch(batch, drop_remainder=True).map(to_float, num_parallel_calls=1)
    return dataset.prefetch(8).with_options(options)


def _features(*arrays: str) -> dict:
    features = {
        "name": tf.io.FixedLenFeature([], tf.string),
        "index": tf.io.FixedLenFeature([], tf.int64),
    }
    features["size"] = tf.io.FixedLenFeature([2], tf.int64)
    return features | {key: tf.io.FixedLenFeature([], tf.string) for key in arrays}
