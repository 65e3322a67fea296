"""The page computes what the networks compute, in any tiles, and sends nothing."""

import keras
import numpy as np
import pytest
from keras import layers
from skimage import data

from rts_tf.errors import ConfigError, RtsError
from rts_tf.export import passes
from rts_tf.export.heads import head_function
from rts_tf.export.page import page_file
from rts_tf.export.program import program_of
from rts_tf.export.runners import browser, chromium, process
from rts_tf.networks.layers import BicubicUpscaling, PixelShuffle
from tests.support.browser import browser as started
from tests.support.html_page import Page
from tests.support.pages import (
    SMALL_TILES,
    differs,
    expected,
    models,
    opened,
    page_of_both,
    png,
    result,
)

LARGEST = 300 * 1024  # bytes of the page with the fast network
MOST_DIFFERING = 1e-4  # of the samples, by one level
LARGE = np.ascontiguousarray(data.chelsea()[:211, :323])
SMALL = np.ascontiguousarray(data.astronaut()[60:121, 180:263])  # odd sides
NASTY = "<img src=x onerror=alert(1)>&amp;\"'</script>.png"


@pytest.fixture(scope="module")
def tab(tmp_path_factory):
    with opened(tmp_path_factory.mktemp("page"), page_of_both()) as opened_tab:
        yield opened_tab


def test_the_page_is_small_and_refers_to_nothing():
    html = page_file([program_of(models()[0].network)], {"Source <b>": NASTY})
    assert len(html.encode()) <= LARGEST
    page = Page(html)
    assert not page.addresses and "link" not in page.tags and "b" not in page.tags
    assert NASTY in page.text and "connect-src 'none'" in html and "default-src 'none'" in html


@pytest.mark.parametrize(
    ("number", "image", "percent"), [(0, LARGE, 100), (0, LARGE, 50), (1, SMALL, 100)]
)
def test_it_computes_what_keras_does(tab, number, image, percent):
    reference = expected(number, image, percent / 100)
    largest, share = differs(result(tab, image, network=number, strength=percent), reference)
    assert largest <= 1 and share <= MOST_DIFFERING
    assert np.sqrt(np.mean((reference.astype(float) - image) ** 2)) > 0.5  # it does change it


@pytest.mark.parametrize("number", [0, 1])
@pytest.mark.parametrize("size", [(1, 1), (2, 5), (9, 3)])
def test_any_size(tab, number, size):
    image = np.random.default_rng(0).integers(0, 256, (*size, 3), np.uint8)
    made = result(tab, image, network=number, strength=100)
    assert differs(made, expected(number, image))[0] <= 1


def test_tiles_equal_the_whole_image(tab, tmp_path):
    with opened(tmp_path, page_of_both(), SMALL_TILES) as tiles:
        for number in range(2):
            image = SMALL[:37, :33]
            whole = result(tab, image, network=number, strength=100)
            np.testing.assert_array_equal(result(tiles, image, network=number), whole)


def test_a_network_of_ones_own(tmp_path):
    """Concatenation, kernels that need several draws, and widths that fill no texture."""
    image, entry = SMALL[:29, :35], keras.Input((None, None, 3))
    x = layers.Conv2D(22, 5, padding="same", activation="relu", name="first")(entry)
    x = layers.Concatenate()([entry, x])
    x = layers.Conv2D(12, (3, 7), padding="same", name="second")(x)
    network = keras.Model(entry, layers.Add()([BicubicUpscaling()(entry), PixelShuffle(2)(x)]))
    random = np.random.default_rng(0)
    network.set_weights([w + random.normal(0, 0.02, w.shape) for w in network.get_weights()])
    reference = head_function(network, "enhance")(image[None].astype(np.float32) / 255)[0]
    reference = np.clip(np.rint(255 * np.asarray(reference)), 0, 255)
    with opened(tmp_path, page_file([program_of(network)], {})) as tab:
        largest, share = differs(result(tab, image), reference)
    assert largest <= 1 and share <= 1e-3 and np.abs(reference - image).mean() > 1


def test_halves_do_where_a_device_has_no_more(tmp_path):
    changes = {'"EXT_color_buffer_float"': '"no_such_extension"'}
    with opened(tmp_path, page_of_both(), changes) as tab:
        assert differs(result(tab, SMALL, network=0), expected(0, SMALL))[0] <= 1


def test_nothing_is_sent(tab):
    """Whatever its scripts do, and whatever the names and contents of files are."""
    result(tab, SMALL[:9, :9], network=0)
    page, *others = tab.requests
    assert page.startswith("file:") and others
    assert all(address.startswith("blob:") for address in others)
    for attempt in (
        "fetch('http://127.0.0.1:9/').then(() => 'sent', () => 'refused')",
        "new Promise(say => { const image = new Image(); image.onload = () => say('sent');"
        " image.onerror = () => say('refused'); image.src = 'http://127.0.0.1:9/'; })",
        'new Promise(say => { const source = \'onmessage = () => fetch("http://127.0.0.1:9/")'
        ".then(() => postMessage(`sent`), () => postMessage(`refused`))';"
        " const worker = new Worker(URL.createObjectURL(new Blob([source])));"
        " worker.onmessage = event => say(event.data); worker.postMessage(0); })",
    ):
        before = len(tab.errors)
        assert tab.evaluate(attempt) == "refused"
        tab.evaluate("0")
        texts = [str(error) for error in tab.errors[before:]]
        assert any("Content Security Policy" in text for text in texts)
    tab.errors.clear()


def test_the_browser_of_the_tests_sees_requests_of_pages_and_workers(tmp_path):
    source = "fetch('http://127.0.0.1:9/worker').catch(() => postMessage(0))"
    (tmp_path / "a.html").write_text(
        f"""<img src="http://127.0.0.1:9/image"><script>var done = false;
        const worker = new Worker(URL.createObjectURL(new Blob([{source!r}])));
        worker.onmessage = () => done = true;</script>"""
    )
    with started(tmp_path / "profile") as tab:
        tab.open(tmp_path / "a.html")
        while not tab.evaluate("done"):
            pass
        tab.evaluate("0")
        assert {"http://127.0.0.1:9/image", "http://127.0.0.1:9/worker"} <= {*tab.requests}


def test_the_runner(tmp_path):
    (tmp_path / "page.html").write_text(page_of_both(), encoding="utf-8")
    with started(tmp_path / "profile"):
        pass  # skips the test where there is no Chromium
    runner, luma = browser.__name__, SMALL[..., :1]
    run = process.run(runner, tmp_path / "page.html", "enhance", luma, seconds=0, scratch=tmp_path)
    reference = models()[0].enhance_luma(luma[..., 0].astype(np.float32) / 255)[..., None]
    assert run.output.shape == luma.shape
    assert np.abs(run.output - np.clip(reference, 0, 1)).max() < 0.51 / 255
    with pytest.raises(RtsError, match="luma2_16_16, residual1, not other"):
        process.run(runner, tmp_path / "page.html", "other", luma, seconds=0, scratch=tmp_path)


def test_without_chromium_the_runner_says_so(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "chromium" in browser.missing()
    with pytest.raises(RtsError, match="chromium is not installed"), chromium.browser(tmp_path):
        pass


def test_what_a_page_cannot_be_made_of():
    network = models()[1].network
    with pytest.raises(ConfigError, match="at least one network"):
        page_file([], {})
    with pytest.raises(ConfigError, match="residual1.*head enhance"):
        page_file([program_of(network, "upscale")], {})
    join = passes.Join("many", (passes.INPUT,) * 17, 51)
    with pytest.raises(ConfigError, match="layer many.*17 tensors"):
        page_file([program_of(network)._replace(passes=(join,))], {})


def test_a_file_that_is_no_image(tab):
    with pytest.raises(RtsError, match="cannot read the file"):
        browser.enhanced(tab, b"no image", "a.png")
    assert "cannot read the file" in tab.evaluate("element('status').textContent")
    assert tab.evaluate("document.querySelector('.slider').hidden")
    assert browser.enhanced(tab, png(SMALL[:9, :9]), "b.png")  # the next one is enhanced
