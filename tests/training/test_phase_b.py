import numpy as np
import pytest

from rts_tf import networks
from rts_tf.data.datasets import folder
from rts_tf.data.degradation import Degradation
from rts_tf.data.source_shards import build_source
from rts_tf.images.resample import halve
from rts_tf.inference import Enhancer
from rts_tf.networks.borders import with_repeated_border
from rts_tf.training.phase_b import DTYPES, build_targets


@pytest.fixture(scope="module")
def source(small_photographs, tmp_path_factory):
    degradation = Degradation("jpeg,reduce", "bilinear", 60, 95, 1)
    return build_source(
        tmp_path_factory.mktemp("source") / "source", folder(small_photographs), degradation, 32, 2
    )


def sharpening_network():
    """A residual1 whose output is no interpolation any more, with values beyond [0, 1]."""
    network, random = networks.build("residual1"), np.random.default_rng(1)
    network.set_weights([w + random.normal(0, 0.03, w.shape) for w in network.get_weights()])
    return network


def test_targets_are_phase_b_of_the_whole_pictures_unclipped(source, tmp_path):
    network, seen = sharpening_network(), []
    targets = build_targets(
        tmp_path / "targets",
        source,
        Enhancer(network, 40),
        anchor="none",
        weights="w",
        on_image=seen.append,
    )
    assert seen == list(source.sizes) == list(targets.sizes)
    beyond = 0
    for k in range(len(source.shards)):
        originals = source.records(k, {"hr": np.uint8})
        for original, record in zip(originals, targets.records(k, DTYPES), strict=True):
            hr_0 = original.arrays["hr"].astype(np.float32) / 255
            expected = halve(with_repeated_border(network)(hr_0[None]))[0].numpy()
            target = record.arrays["target"]
            assert target.dtype == np.float16 and (record.name, record.index) == (
                original.name,
                original.index,
            )
            np.testing.assert_allclose(target, expected, atol=1e-3)  # float16
            beyond += int((target < 0).sum() + (target > 1).sum())
            drift = 255 * float((expected - hr_0).mean())
            assert targets.notes[record.name]["network_drift_levels"] == pytest.approx(
                drift, abs=1e-2
            )
    assert beyond > 0


def test_other_weights_or_settings_make_them_afresh(source, tmp_path):
    network, seen = sharpening_network(), []
    lanczos, bilinear = Enhancer(network), Enhancer(network, kernel="bilinear")
    for enhancer, anchor, weights, eight_bit, count in (
        (lanczos, "none", "w", False, 5),
        (lanczos, "none", "w", False, 5),
        (lanczos, "low", "w", False, 10),
        (lanczos, "low", "v", False, 15),
        (lanczos, "low", "v", True, 20),
        (bilinear, "low", "v", True, 25),
    ):
        quietly = {"on_image": seen.append, "warn": lambda line: None, "eight_bit": eight_bit}
        targets = build_targets(
            tmp_path / "targets", source, enhancer, anchor=anchor, weights=weights, **quietly
        )
        assert len(seen) == count
    levels = 255 * next(iter(targets.records(0, DTYPES))).arrays["target"].astype(np.float32)
    assert (
        np.abs(levels - np.rint(levels)).max() < 1 / 16 and levels.min() == 0
    )  # 8 bits, in float16


@pytest.mark.parametrize("kernel", ["bicubic", "bilinear"])
def test_another_kernel_of_d(kernel, photograph):
    network, image = sharpening_network(), photograph[:40, :57].astype(np.float32) / 255
    expected = halve(with_repeated_border(network)(image[None]), kernel)[0]
    np.testing.assert_allclose(Enhancer(network, kernel=kernel).enhance(image), expected, atol=1e-5)
    assert np.abs(Enhancer(network).enhance(image) - expected).max() > 1e-3
