"""The before/after slider of HTML pages.

A page may hold any number of sliders (:func:`rts_tf.report.templates.page`).
"""

import base64
import io
from typing import Any

import numpy as np
from PIL import Image

from rts_tf.report.templates import fill, text

# Pixels. A larger image goes into the page as JPEG, so that the page stays below about 5 MB.
LARGEST_EXACT = 2**20


def slider(
    before: np.ndarray,
    after: np.ndarray,
    names: tuple[str, str],
    texts: tuple[str, str],
    icc: bytes = b"",
    *,
    exact: bool = True,
) -> str:
    """The HTML of one slider.

    Args:
        before: uint8 [H, W, 3].
        after: The same shape.
        names: The labels of the two sides.
        texts: The alternative texts of the two images.
        icc: The colour profile of both.
        exact: See :func:`data_uri`.

    Raises:
        ValueError: An array has another type, or the sizes do not match.
    """
    if before.shape != after.shape:
        raise ValueError(f"before is {before.shape}, after {after.shape}: they must be of one size")
    return fill(
        "slider.html.template",
        before=data_uri(before, icc, exact=exact),
        after=data_uri(after, icc, exact=exact),
        left=text(names[0]),
        right=text(names[1]),
        before_text=text(texts[0]),
        after_text=text(texts[1]),
        width=before.shape[1],
        height=before.shape[0],
    )


def data_uri(image: np.ndarray, icc: bytes = b"", *, exact: bool = True) -> str:
    """Encode an image as a data URI.

    Up to ``LARGEST_EXACT`` pixels it is a PNG, which is exact. Above, it is a JPEG of quality 95
    with chroma at full size.

    Args:
        image: uint8 [H, W, 3].
        icc: The colour profile.
        exact: False for a JPEG in any case, where a page has many images.

    Raises:
        ValueError: The array has another type or shape.
    """
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3:
        raise ValueError(f"an image must be uint8 HxWx3, not {image.dtype} {image.shape}")
    exact = exact and image.shape[0] * image.shape[1] <= LARGEST_EXACT
    kind = "png" if exact else "jpeg"
    options: dict[str, Any] = {} if exact else {"quality": 95, "subsampling": 0}
    file = io.BytesIO()
    Image.fromarray(image).save(file, kind, icc_profile=icc or None, **options)
    return f"data:image/{kind};base64," + base64.b64encode(file.getvalue()).decode("ascii")
