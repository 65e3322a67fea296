"""The before/after slider of the pages, for any number of pictures on a page. Knows arrays and text alone.

A page that holds sliders has the styles and the script of ``rts_tf/web`` in it once; everything is inline, so that it works
from ``file://`` and asks nothing of the network.
"""

import base64
import io
from html import escape
from importlib import resources
from string import Template

import numpy as np
from PIL import Image

LARGEST_EXACT = (
    2**20
)  # pixels; a larger picture goes into the page as JPEG, so that the page stays below some 5 MB


def page(template: str, **parts: object) -> str:
    """A page from ``template`` in ``rts_tf/web``, with the styles and script of pages that have sliders."""
    names = {"page_style": "page.css", "slider_style": "slider.css", "slider_script": "slider.js"}
    return Template(_web(template)).substitute(
        {part: _web(file) for part, file in names.items()}, **parts
    )


def slider(
    before: np.ndarray,
    after: np.ndarray,
    names: tuple[str, str],
    texts: tuple[str, str],
    icc: bytes = b"",
) -> str:
    """HTML of one slider.

    Args:
        before, after: uint8 [H, W, 3] of one size.
        names: what stands on the two sides.
        texts: what a reader who cannot see them is told.
        icc: the colour profile of both.

    Raises:
        ValueError: arrays of another type, or of sizes that do not match.
    """
    if before.shape != after.shape:
        raise ValueError(f"before is {before.shape}, after {after.shape}: they must be of one size")
    return Template(_web("slider.html.template")).substitute(
        before=data_uri(before, icc),
        after=data_uri(after, icc),
        left=escape(names[0]),
        right=escape(names[1]),
        before_text=escape(texts[0]),
        after_text=escape(texts[1]),
        width=before.shape[1],
        height=before.shape[0],
    )


def data_uri(picture: np.ndarray, icc: bytes = b"") -> str:
    """uint8 HxWx3 -> data URI: PNG (exact), or, above ``LARGEST_EXACT``, JPEG 95 with full-size colour."""
    if picture.dtype != np.uint8 or picture.ndim != 3 or picture.shape[2] != 3:
        raise ValueError(f"a picture must be uint8 HxWx3, not {picture.dtype} {picture.shape}")
    height, width, _ = picture.shape
    kind, options = (
        ("png", {})
        if height * width <= LARGEST_EXACT
        else ("jpeg", {"quality": 95, "subsampling": 0})
    )
    file = io.BytesIO()
    Image.fromarray(picture).save(file, kind, icc_profile=icc or None, **options)
    return f"data:image/{kind};base64," + base64.b64encode(file.getvalue()).decode("ascii")


def _web(name: str) -> str:
    return resources.files("rts_tf.report").joinpath("web", name).read_text(encoding="utf-8")
