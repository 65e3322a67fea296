"""Enhancing luma and RGB of any size with a network for luma."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import rts_tf
from rts_tf import pretrained
from rts_tf.errors import RtsError
from rts_tf.luma import enhancer as enhancer_module
from rts_tf.luma.enhancer import LumaEnhancer, luma_of
from rts_tf.luma.loading import is_luma_model
from rts_tf.networks.luma import build_luma


def network(name: str = "luma4-16", seed: int = 0):
    """A network that changes images by some levels."""
    made, random = build_luma(name, seed), np.random.default_rng(seed)
    kernel, bias = made.get_layer("change").get_weights()
    made.get_layer("change").set_weights([random.normal(0, 0.02, kernel.shape), bias])
    return made


@pytest.fixture(scope="module")
def model():
    return LumaEnhancer(network())


def reference(model: LumaEnhancer, luma: np.ndarray) -> np.ndarray:
    """The network on the whole plane, float32 in [0, 1], with a wide repeated border."""
    height, width = luma.shape
    more = (16, 16 + -height % 4), (16, 16 + -width % 4)
    bordered = np.pad(luma, more, mode="edge")[None, ..., None]
    return model.network(bordered).numpy()[0, 16 : 16 + height, 16 : 16 + width, 0]


@settings(deadline=None, max_examples=15)
@given(height=st.integers(1, 90), width=st.integers(1, 90), workers=st.integers(1, 5))
def test_strips_equal_the_whole(model, height, width, workers):
    random = np.random.default_rng(height * width)
    luma = random.random((height, width), np.float32)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(enhancer_module, "STRIP", 64)
        patch.setattr(model, "_workers", workers)
        np.testing.assert_allclose(model.enhance_luma(luma), reference(model, luma), atol=2e-6)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_levels_are_rounded_and_clipped(model, photograph, dtype):
    luma = photograph[:50, :70, 0].astype(dtype) * (np.iinfo(dtype).max // 255)
    made, white = model.enhance_luma(luma), np.iinfo(dtype).max
    expected = np.clip(np.rint(reference(model, luma.astype(np.float32) / white) * white), 0, white)
    assert made.dtype == dtype and np.abs(made - expected).max() <= 1


def test_planes_side_by_side_are_those_one_by_one(model, photograph):
    planes = [photograph[: 30 + i, :50, i % 3] for i in range(5)]
    for one, luma in zip(model.enhance_planes(planes, 0.5), planes, strict=True):
        np.testing.assert_array_equal(one, model.enhance_luma(luma, 0.5))


def test_strength_blends(model, photograph):
    luma = photograph[:40, :40, 1]
    full, half, none = (model.enhance_luma(luma, strength) for strength in (1, 0.5, 0))
    np.testing.assert_array_equal(none, luma)
    middle = (luma.astype(float) + full) / 2
    assert np.abs(half - middle).max() <= 0.5 and not np.array_equal(full, luma)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_rgb_changes_by_its_luma_alone(model, photograph, dtype):
    white = np.iinfo(dtype).max if dtype != np.float32 else 1.0
    image = (photograph[:60, :80].astype(np.float64) / 255 * white).astype(dtype)
    made = model.enhance(image)
    luma = luma_of(image)
    change = model.enhance_luma(luma).astype(np.float64) - luma
    expected = image + change[..., None]
    if dtype != np.float32:
        expected = np.clip(expected, 0, white)
    np.testing.assert_allclose(made, expected, atol=1e-6 if dtype == np.float32 else 0)
    assert made.dtype == dtype


def test_batches_and_grey(model, photograph):
    images = np.stack([photograph[:20, :30], photograph[20:40, :30]])
    counted: list[int] = []
    made = model.enhance(images, on_pixels=counted.append)
    np.testing.assert_array_equal(made[1], model.enhance(images[1]))
    grey = images[0, ..., :1]
    np.testing.assert_array_equal(model.enhance(grey)[..., 0], model.enhance_luma(grey[..., 0]))
    assert counted == [600, 600]


@pytest.mark.parametrize(
    "view",
    [
        lambda image: image[::-1],
        lambda image: image[:, ::2],
        lambda image: image[:, ::-1],
        lambda image: image.swapaxes(0, 1),
        lambda image: image[::-1, ::-1, ::-1],
        lambda image: np.broadcast_to(image[:1, :1], image.shape),
        lambda image: image[5:, 7:],
        lambda image: image.astype(">u2"),
    ],
)
def test_any_layout_in_memory(model, photograph, view):
    image = view(photograph[:40, :50])
    plain = np.array(image, image.dtype.newbyteorder("="), order="C")
    np.testing.assert_array_equal(model.enhance(image), model.enhance(plain))
    luma = image[..., 0]
    expected = model.enhance_luma(np.ascontiguousarray(plain[..., 0]))
    np.testing.assert_array_equal(model.enhance_luma(luma), expected)


def test_the_network_is_the_same_without_change(photograph):
    identity = LumaEnhancer(build_luma("luma2-4"))
    np.testing.assert_array_equal(identity.enhance(photograph[:31, :33]), photograph[:31, :33])


@pytest.mark.parametrize("shape", [(8,), (4, 4, 3), (0, 4)])
def test_other_planes_are_refused(model, shape):
    with pytest.raises(ValueError, match="expected luma"):
        model.enhance_luma(np.zeros(shape, np.uint8))


def test_other_images_are_refused(model):
    with pytest.raises(ValueError, match="expected RGB"):
        model.enhance(np.zeros((4, 4, 2), np.uint8))
    with pytest.raises(ValueError, match="int64"):
        model.enhance(np.zeros((4, 4, 3), np.int64))
    with pytest.raises(ValueError, match="strength"):
        model.enhance(np.zeros((4, 4, 3), np.uint8), strength=float("nan"))


@pytest.mark.parametrize(
    ("value", "reason"), [(255, "divide by the value of white"), (np.nan, "finite values")]
)
def test_floats_that_are_not_of_0_to_1_are_refused(model, value, reason):
    for dtype in (np.float16, np.float32, np.float64):
        with pytest.raises(ValueError, match=reason):
            model.enhance(np.full((4, 4, 3), value, dtype))
        with pytest.raises(ValueError, match=reason):
            model.enhance_luma(np.full((4, 4), value, dtype))
        with pytest.raises(ValueError, match=reason):
            model.enhance_planes([np.full((4, 4), value, dtype)])
    assert model.enhance_luma(np.full((4, 4), 1.4, np.float32)).shape == (4, 4)


def test_a_file_is_recognised_and_loaded(tmp_path, photograph):
    network().save(tmp_path / "small.keras")
    assert is_luma_model(tmp_path / "small.keras") and not is_luma_model("residual3")
    assert not is_luma_model(tmp_path)
    loaded = rts_tf.load(tmp_path / "small.keras")
    assert isinstance(loaded, LumaEnhancer) and not loaded.integers
    image = photograph[:16, :20]
    np.testing.assert_array_equal(loaded.enhance(image), LumaEnhancer(network()).enhance(image))


def test_weights_of_the_package_have_an_alias(tmp_path, monkeypatch):
    monkeypatch.setattr(pretrained, "DIRECTORY", tmp_path)
    monkeypatch.setattr(pretrained, "ALIASES", {"quick": "small"})
    network().save_weights(tmp_path / "small.weights.h5")
    (tmp_path / "small.json").write_text(json.dumps({"network": "luma4-16"}))
    assert isinstance(rts_tf.load("quick"), LumaEnhancer)
    with pytest.raises(RtsError, match="quicker: no such file"):
        rts_tf.load("quicker")
