"""The input pipeline of Phase A: which patches it gives, and in which order."""

import dataclasses
import itertools

import numpy as np
import pytest

from rts_tf.data.datasets import folder
from rts_tf.data.degradation import Degradation
from rts_tf.data.patches import PATCHES_PER_PASS, training_batches
from rts_tf.data.shard_writer import build
from rts_tf.data.shards import Record
from rts_tf.data.source_shards import build_source

POSITIONS = 13  # not a multiple of the patches of a pass
PATCH = 32
SETTINGS = {"patch": PATCH, "batch": 4, "positions": POSITIONS, "seed": 3, "stage": 2}
TARGETS = {"target": np.float16}


@pytest.fixture(scope="module")
def sets(small_photographs, tmp_path_factory):
    """Source shards, and target shards whose target is HR_0 / 255 + 1."""
    root = tmp_path_factory.mktemp("shards")
    degradation = Degradation("jpeg,reduce", "bilinear", 60, 95, 1)
    source = build_source(root / "source", folder(small_photographs), degradation, PATCH, 2)

    def targets(k):
        for record in source.records(k, {"hr": np.uint8}):
            yield Record(record.name, record.index, {"target": record.arrays["hr"] / 255 + 1})

    return source, build(root / "targets", len(source.shards), targets, TARGETS, {})


def take(sets, count, first_step=0, with_targets=True, **changes):
    """The first ``count`` batches as NumPy arrays."""
    source, targets = sets
    settings = SETTINGS | {"first_step": first_step} | changes
    batches = training_batches(source, targets if with_targets else None, **settings)
    return [(lr.numpy(), target.numpy()) for lr, target in itertools.islice(batches, count)]


def test_shapes_and_ranges(sets):
    lr, target = take(sets, 1, with_targets=False)[0]
    assert lr.shape == (4, 16, 16, 3) and target.shape == (4, 32, 32, 3)
    assert lr.dtype == target.dtype == np.float32
    assert lr.min() >= 0 and lr.max() <= 1 and 0.05 < target.std() < 0.5


def test_lr_and_target_show_the_same_position(sets):
    for lr, target in take(sets, 5):
        reduced = (target - 1).reshape(4, 16, 2, 16, 2, 3).mean(axis=(2, 4))
        assert np.abs(reduced - lr).mean() < 0.03
        assert np.abs(reduced - lr[::-1]).mean() > 0.06


def test_targets_are_those_of_the_target_shards(sets):
    own, hr_0 = take(sets, 3), take(sets, 3, with_targets=False)
    for (lr, target), (same_lr, original) in zip(own, hr_0, strict=True):
        np.testing.assert_array_equal(lr, same_lr)
        np.testing.assert_allclose(target, original + 1, atol=1e-3)  # float16


@pytest.mark.parametrize("first", [1, 7, 16, 17, 20, 41])
def test_order_depends_on_the_step_alone(sets, first):
    """A run continued at any step sees what an unbroken one sees, across passes and epochs."""
    unbroken = take(sets, 45)[first : first + 4]
    continued = take(sets, 4, first_step=first)
    for batch, same_batch in zip(unbroken, continued, strict=True):
        for array, same_array in zip(batch, same_batch, strict=True):
            np.testing.assert_array_equal(array, same_array)


@pytest.mark.parametrize("change", [{"seed": 4}, {"stage": 3}])
def test_seed_and_stage_change_the_order(sets, change):
    assert not np.array_equal(take(sets, 1)[0][0], take(sets, 1, **change)[0][0])


def test_an_epoch_uses_every_position_once(sets):
    """Five images with 13 positions give 65 patches in an epoch, in the next in another order."""
    patches = [patch.tobytes() for patch, _ in take(sets, 130, batch=1)]
    first, second = patches[:65], patches[65:]
    assert POSITIONS % PATCHES_PER_PASS
    assert sorted(first) == sorted(second) and first != second
    assert len(set(first)) > 55  # some of the 13 positions of a small image coincide


def test_mismatched_shards_are_refused(sets, tmp_path):
    source, targets = sets

    def wrong(k):
        for record in targets.records(k, TARGETS):
            yield dataclasses.replace(record, name="other " + record.name)

    bad = build(tmp_path / "targets", len(source.shards), wrong, TARGETS, {})
    with pytest.raises(Exception, match="do not match"):
        take((source, bad), 1)


def test_a_share_of_the_patches_is_one_colour(sets):
    """In LR and target alike; the other patches stay, and pure colours are among those drawn."""
    plain, mixed = take(sets, 45), take(sets, 45, flat_share=0.3)
    flats = []
    for (lr, target), (mixed_lr, mixed_target) in zip(plain, mixed, strict=True):
        for k in range(4):
            if np.array_equal(lr[k], mixed_lr[k]):
                np.testing.assert_array_equal(target[k], mixed_target[k])
                continue
            flats.append(mixed_lr[k, 0, 0])
            assert np.all(mixed_lr[k] == flats[-1]) and np.all(mixed_target[k] == flats[-1])
    flats = np.array(flats)
    assert 0.2 < len(flats) / 180 < 0.4
    assert flats.min() == 0 and flats.max() == 1 and np.unique(flats, axis=0).shape == flats.shape


def test_flat_patches_depend_on_the_step_alone(sets):
    unbroken = take(sets, 20, flat_share=0.3)[17:]
    continued = take(sets, 3, first_step=17, flat_share=0.3)
    for batch, same_batch in zip(unbroken, continued, strict=True):
        for array, same_array in zip(batch, same_batch, strict=True):
            np.testing.assert_array_equal(array, same_array)
