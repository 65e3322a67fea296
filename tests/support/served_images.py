"""Images and files to send to a server, good ones and bad ones."""

import numpy as np
from PIL import Image
from skimage import data

from tests.support.image_files import saved


def encoded(image: np.ndarray, kind: str = "PNG") -> bytes:
    """A file of uint8 [H, W, 3] or [H, W]."""
    return saved(Image.fromarray(image), kind)


def bomb(kind: str) -> bytes:
    """A file in PNG or JPEG whose header declares 60,000 x 60,000 pixels."""
    whole = encoded(np.zeros((8, 8, 3), np.uint8), kind)
    if kind == "PNG":
        return whole[:16] + (60000).to_bytes(4, "big") * 2 + whole[24:]
    at = whole.index(b"\xff\xc0") + 5
    return whole[:at] + (60000).to_bytes(2, "big") * 2 + whole[at + 4 :]


IMAGES = [data.chelsea()[:61, :80], data.astronaut()[100:147, 200:233], data.coffee()[:1, :2]]
FILES = [
    encoded(IMAGES[0]),
    encoded(IMAGES[1]),
    encoded(IMAGES[2]),
    encoded(IMAGES[1][..., 0]),
    encoded(IMAGES[0], "JPEG"),
]
