"""The baselines keep what they promise on a small real image, and a peer works in its process."""

import importlib.util

import cv2
import numpy as np
import pytest

from experiments import baselines
from experiments.baselines import enhancer, upscaler
from experiments.peer_worker import PEERS, Peer, PeerError, PeerWorker
from rts_tf.errors import ConfigError
from rts_tf.images.dtypes import to_float, to_uint8
from rts_tf.metrics.unsharp import unsharp_mask
from tests.support.commands import photo

FILTERS = ("unsharp:0.5", "bilateral+unsharp:0.5", "cas:0.5")
FAKE = """
import os, signal, sys
import numpy as np

def doubles():
    print("a library that prints while it loads")

    def upscale(image):
        print("and while it works")
        if not image.any():
            print("illegal instruction", file=sys.stderr, flush=True)
            os.kill(os.getpid(), signal.SIGILL)
        if image.shape[0] == 1:
            raise ValueError("one row is too few")
        return image.repeat(2, axis=0).repeat(2, axis=1)

    return upscale

def as_the_packages_do():
    try:
        raise ImportError("libfake.so.5: cannot open shared object file")
    except ImportError:
        import no_such_wrapper
"""


def image(height: int = 64, width: int = 64) -> np.ndarray:
    return np.array(photo(0, height, width))


def gradient_energy(levels: np.ndarray) -> float:
    return sum(np.square(np.diff(levels.astype(float), axis=axis)).mean() for axis in (0, 1))


@pytest.fixture
def fake(tmp_path, monkeypatch):
    """The module that holds FAKE, for the workers that a test starts."""
    (tmp_path / "fake_network.py").write_text(FAKE)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    return "fake_network"


@pytest.fixture
def fake_peers(fake, monkeypatch):
    """The registry has no peer but "fake", which doubles by repetition."""
    worker = PeerWorker(f"{fake}:doubles")
    monkeypatch.setattr(baselines, "_worker", {"fake": worker}.get)
    monkeypatch.setattr(baselines, "PEERS", {"fake": Peer("numpy", "numpy", 2, lambda: None)})
    with worker:
        yield


@pytest.mark.parametrize("name", FILTERS)
@pytest.mark.parametrize("shape", [(64, 64), (65, 77), (33, 40)])
def test_filters_keep_shape_and_dtype_and_their_input(name, shape):
    given = image(*shape)
    baseline = enhancer(name)
    result = baseline.apply(given)
    assert result.shape == (*shape, 3) and result.dtype == np.uint8
    np.testing.assert_array_equal(given, image(*shape))
    assert baseline.name == name and any(c.isdigit() for c in baseline.version)


@pytest.mark.parametrize("name", FILTERS)
def test_filters_keep_a_constant_image(name):
    given = np.full((33, 47, 3), (200, 30, 90), np.uint8)
    change = enhancer(name).apply(given).astype(int) - given
    assert change.max() == 0
    assert change.min() == 0 or (name.startswith("cas") and change.min() == -1)  # it rounds down


@pytest.mark.parametrize("name", ["unsharp:0.5", "cas:0", "cas:0.5"])
def test_sharpening_raises_the_gradients(name):
    assert gradient_energy(enhancer(name).apply(image())) > 1.2 * gradient_energy(image())


def test_unsharp_is_the_mask_of_the_metrics():
    expected = to_uint8(unsharp_mask(to_float(image()), 0.7))
    np.testing.assert_array_equal(enhancer("unsharp:0.7").apply(image()), expected)
    np.testing.assert_array_equal(enhancer("unsharp:0").apply(image()), image())


def test_bilateral_lowers_noise_and_keeps_edges():
    random = np.random.default_rng(0)
    flat = np.clip(128 + random.normal(0, 3, (48, 48, 3)), 0, 255).astype(np.uint8)
    flat[:, 24:] += 80
    result = enhancer("bilateral+unsharp:0").apply(flat)
    assert result[:, 3:20].std() < 0.5 * flat[:, 3:20].std()
    assert result[:, 24:].mean() - result[:, :24].mean() == pytest.approx(80, abs=0.5)


def test_cas_multiplies_weak_detail_in_grey():
    """By 1 / (1 - 4 / 16) at strength 0 and 1 / (1 - 4 / 10) at 0.5, as the docstring says."""
    given = np.full((15, 15, 3), 128, np.uint8)
    given[7, 7] += 6
    for name, factor in (("cas:0", 4 / 3), ("cas:0.5", 5 / 3)):
        assert enhancer(name).apply(given)[7, 7] - 128.0 == pytest.approx(6 * factor, abs=1)


def test_cas_sharpens_each_colour_alone():
    given = image()
    grey = given.copy()
    grey[..., 1:] = 128
    result, alone = (enhancer("cas:0.5").apply(levels) for levels in (given, grey))
    np.testing.assert_array_equal(result[..., 0], alone[..., 0])


@pytest.mark.parametrize("name", ["unsharp", "unsharp:", "unsharp:-1", "unsharp:inf", "cas:2"])
def test_a_wrong_parameter_is_named(name):
    with pytest.raises(ConfigError, match=f"^'{name}': must be .*:A with a number A"):
        enhancer(name)


def test_an_unknown_name_lists_the_known_ones():
    with pytest.raises(ConfigError, match="choose from unsharp:A, .*, waifu2x, realesrgan"):
        enhancer("lanczos")
    with pytest.raises(ConfigError, match="choose from lanczos, waifu2x, realesrgan"):
        upscaler("cas:0.5")


def test_lanczos_doubles():
    small = cv2.resize(image(65, 77), (38, 32), interpolation=cv2.INTER_AREA)
    result = upscaler("lanczos").apply(small)
    assert result.shape == (64, 76, 3) and result.dtype == np.uint8
    reference = cv2.resize(small, (76, 64), interpolation=cv2.INTER_CUBIC)
    assert np.abs(result.astype(int) - reference).mean() < 2


def test_a_worker_answers_each_image(fake):
    """What the peer prints does not disturb it, nor does an image that the peer refuses."""
    with PeerWorker(f"{fake}:doubles") as worker:
        for shape in ((5, 7), (8, 4)):
            expected = image(*shape).repeat(2, axis=0).repeat(2, axis=1)
            np.testing.assert_array_equal(worker(image(*shape)), expected)
            with pytest.raises(PeerError, match=":doubles: ValueError: one row is too few$"):
                worker(image(1, 7))


def test_a_worker_that_crashes_says_so(fake):
    with PeerWorker(f"{fake}:doubles") as worker:
        for _ in range(2):  # and stays dead
            with pytest.raises(PeerError, match="crashed with SIGILL; .* illegal instruction$"):
                worker(np.zeros((4, 4, 3), np.uint8))


def test_a_missing_library_is_named(fake):
    with pytest.raises(PeerError, match="libfake.so.5: cannot open.*apt install libomp5"):
        PeerWorker(f"{fake}:as_the_packages_do")


def test_a_missing_package_says_what_to_install(monkeypatch):
    nowhere = Peer("no_such_package", "no-such-package", 2, lambda: None)
    monkeypatch.setitem(PEERS, "waifu2x", nowhere)
    for find in (enhancer, upscaler):
        with pytest.raises(PeerError, match=r"^no-such-package is not .*'rts_tf\[peers\]'"):
            find("waifu2x")


def test_a_peer_enlarges_and_is_reduced_to_enhance(fake_peers):
    given = image(33, 47)
    enlarged = upscaler("fake").apply(given)
    np.testing.assert_array_equal(enlarged, given.repeat(2, axis=0).repeat(2, axis=1))
    result = enhancer("fake").apply(given)
    assert result.shape == given.shape and result.dtype == np.uint8
    assert np.abs(result.astype(int) - given).mean() < 2
    assert enhancer("fake").version == f"numpy {np.__version__}"


@pytest.mark.parametrize("name", PEERS)
def test_the_real_peers(name):
    """One that is installed keeps the brightness of an image. Another says what to install."""
    given, peer = image(24, 33), PEERS[name]
    if importlib.util.find_spec(peer.package) is None:
        with pytest.raises(PeerError, match=f"^{peer.distribution} is not installed: pip install"):
            enhancer(name)
        return
    with PeerWorker(name) as worker:
        result = worker(given)
        np.testing.assert_array_equal(worker(given), result)
    assert result.shape == (24 * peer.factor, 33 * peer.factor, 3) and result.dtype == np.uint8
    assert result.mean() == pytest.approx(given.mean(), abs=6)
