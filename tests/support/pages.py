"""The page that enhances images, open in a headless Chromium."""

import contextlib
import functools
import io
import pathlib
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from PIL import Image

import rts_tf
from rts_tf.export.page import page_file
from rts_tf.export.program import program_of
from rts_tf.export.runners.browser import enhanced
from rts_tf.export.runners.chromium import Tab
from tests.support.browser import browser

NAMES = "fast", "residual1"  # the networks of the page, in this order
# A change to the page: tiles of 16 pixels, so that a small image has many
SMALL_TILES = {"const TILES = [1024, 512, 256, 128];": "const TILES = [16];"}


@functools.cache
def models() -> list:
    """The networks of the page, as rts_tf.load gives them."""
    return [rts_tf.load(name) for name in NAMES]


@functools.cache
def page_of_both() -> str:
    """The page with a network for luma and one for RGB."""
    return page_file([program_of(model.network) for model in models()], {"Source": "rts_tf"})


@contextlib.contextmanager
def opened(
    folder: pathlib.Path,
    html: str,
    changes: Mapping[str, str] | None = None,
    flags: Sequence[str] = (),
) -> Iterator[Tab]:
    """The page in a browser of its own, with ``changes`` to its text."""
    for before, after in (changes or {}).items():
        assert html.count(before) == 1, before
        html = html.replace(before, after)
    (folder / "page.html").write_text(html, encoding="utf-8")
    with browser(folder / "profile", flags) as tab:
        tab.open(folder / "page.html")
        yield tab


def png(image: np.ndarray, **settings) -> bytes:
    """A PNG file of uint8 [H, W] or [H, W, C]."""
    return file_of(image, "png", **settings)


def file_of(image: np.ndarray, kind: str, **settings) -> bytes:
    """An image file."""
    file = io.BytesIO()
    Image.fromarray(image).save(file, kind, **settings)
    return file.getvalue()


def result(tab: Tab, image: np.ndarray, **settings) -> np.ndarray:
    """What the page makes of uint8 [H, W, C]."""
    contents = enhanced(tab, png(image), format="image/png", **settings)
    return np.asarray(Image.open(io.BytesIO(contents)).convert("RGB"))


def expected(number: int, image: np.ndarray, strength: float = 1) -> np.ndarray:
    """What Keras makes of uint8 [H, W, 3], computed in float32 and rounded once."""
    values = models()[number].enhance(image.astype(np.float32) / np.float32(255), strength)
    return np.clip(np.rint(255 * values), 0, 255).astype(np.uint8)


def differs(a: np.ndarray, b: np.ndarray) -> tuple[int, float]:
    """The largest difference in levels, and the share of the samples that differ."""
    difference = np.abs(a.astype(int) - b)
    return int(difference.max()), float((difference > 0).mean())


def notes(tab: Tab) -> Sequence[str]:
    """What the page says about the image that is shown."""
    return tab.evaluate("shown.notes")
