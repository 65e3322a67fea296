"""The page with WebGPU: it computes what Keras does, and goes on with WebGL2 where it fails."""

import numpy as np
import pytest
from skimage import data

from tests.support.pages import SMALL_TILES, differs, expected, opened, page_of_both, result

FLAGS = ("--enable-unsafe-webgpu", "--use-webgpu-adapter=swiftshader")
# The adapter of the tests is software, which the page leaves alone.
CHOSEN = {"({ software }) => !software;": "() => true;"}
USED = "document.body.dataset.graphics"
MOST_DIFFERING = 1e-4  # of the samples, by one level
LARGE = np.ascontiguousarray(data.chelsea()[:111, :123])
SMALL = np.ascontiguousarray(data.astronaut()[60:97, 180:213])  # odd sides
# Each makes WebGPU fail at another moment.
FAILURES = {
    "the device is lost": {"this.pass.end();": "device.destroy(); this.pass.end();"},
    "a shader is refused": {
        "module = device.createShaderModule({ code })": (
            "module = device.createShaderModule({ code: code + '!' })"
        )
    },
    "memory is missing": {
        "let result;\n    const errors": (
            "device.createBuffer({ size: 2 ** 50, usage: 1 });\n    let result;\n    const errors"
        )
    },
}


@pytest.fixture(scope="module")
def tab(tmp_path_factory):
    folder = tmp_path_factory.mktemp("page")
    with opened(folder, page_of_both(), CHOSEN, FLAGS) as opened_tab:
        yield opened_tab


@pytest.mark.parametrize(("number", "image"), [(0, LARGE), (1, SMALL)])
def test_it_computes_what_keras_does(tab, number, image):
    reference = expected(number, image)
    largest, share = differs(result(tab, image, network=number, strength=100), reference)
    assert tab.evaluate(USED) == "WebGPU"
    assert largest <= 1 and share <= MOST_DIFFERING
    assert np.sqrt(np.mean((reference.astype(float) - image) ** 2)) > 0.5  # it does change it


def test_without_strength_samples_are_as_they_were(tab):
    np.testing.assert_array_equal(result(tab, LARGE, network=0, strength=0), LARGE)
    assert tab.evaluate(USED) == "WebGPU"


def test_nothing_is_requested(tab):
    result(tab, SMALL[:9, :9], network=0)
    page, *others = tab.requests
    assert page.startswith("file:") and others
    assert all(address.startswith("blob:") for address in others)
    assert not tab.errors


def test_tiles_equal_the_whole_image(tab, tmp_path):
    with opened(tmp_path, page_of_both(), CHOSEN | SMALL_TILES, FLAGS) as tiles:
        for number in range(2):
            whole = result(tab, SMALL, network=number, strength=100)
            made = result(tiles, SMALL, network=number, strength=100)
            np.testing.assert_array_equal(made, whole)
        assert tiles.evaluate(USED) == tab.evaluate(USED) == "WebGPU"


@pytest.mark.parametrize("failure", FAILURES)
def test_it_goes_on_with_webgl2(tmp_path, failure):
    changes = CHOSEN | FAILURES[failure]
    with opened(tmp_path, page_of_both(), changes, FLAGS) as tab:
        made = result(tab, SMALL, network=0, strength=100)
        assert tab.evaluate(USED) == "WebGL2"
        assert differs(made, expected(0, SMALL))[0] <= 1
        assert "without a graphics card" in tab.evaluate("element('notice').textContent")


@pytest.mark.parametrize("flags", [(), FLAGS], ids=["no adapter", "a software adapter"])
def test_webgl2_is_chosen(tmp_path, flags):
    with opened(tmp_path, page_of_both(), flags=flags) as tab:
        result(tab, SMALL[:9, :9], network=0)
        assert tab.evaluate(USED) == "WebGL2"
