"""The states in which people have their images: clean, as JPEG, and as a frame of a video.

Every condition is a crop of 512 x 512 pixels out of the middle of an image, cut where 8x8 blocks of
the image begin. A frame of a video is the last of five, in which the image moves by 3 pixels to the
right and 2 down from frame to frame, so that it is mostly predicted from the frames before it.
"""

from collections.abc import Callable

import cv2
import numpy as np

from rts_tf.data import codecs
from rts_tf.errors import ImageError

SIDE = 512  # pixels
FRAMES, MOTION = 5, (2, 3)  # of a video, and pixels between two frames along y and x
HEVC_OFFSET = 4  # what rts_tf.data.codecs adds to the CRF of x264
SMALLER = round(SIDE * 2 / 3)  # pixels a side of a video that was scaled down before it was coded
NOISE = 3.0  # levels; the std of the noise in a static scene
STATIC = 8  # frames of a static scene

Condition = Callable[[np.ndarray], np.ndarray]  # uint8 [H, W, 3] to uint8 [SIDE, SIDE, 3]


def crop(image: np.ndarray, up: int = 0, left: int = 0) -> np.ndarray:
    """The crop of an image, moved ``up`` and to the ``left`` by so many pixels.

    Raises:
        ImageError: The image is too small.
    """
    margin = FRAMES * max(MOTION)
    if min(image.shape[:2]) < SIDE + 2 * margin:
        size = f"{image.shape[1]}x{image.shape[0]}"
        raise ImageError(f"{size} is smaller than {SIDE + 2 * margin} pixels a side")
    top, start = ((size - SIDE) // 16 * 8 for size in image.shape[:2])
    return image[top - up :, start - left :][:SIDE, :SIDE]


def frame(image: np.ndarray, codec: str, crf: float, side: int = SIDE) -> np.ndarray:
    """The last frame of a video, coded at ``side`` x ``side`` pixels and scaled back."""
    dy, dx = MOTION
    frames = [crop(image, dy * k, dx * k) for k in range(FRAMES - 1, -1, -1)]
    if side != SIDE:
        frames = [cv2.resize(f, (side, side), interpolation=cv2.INTER_AREA) for f in frames]
    last = codecs.video(frames, codec, crf)[-1]
    if side != SIDE:
        last = cv2.resize(last, (SIDE, SIDE), interpolation=cv2.INTER_CUBIC)
    return last


CONDITIONS: dict[str, Condition] = {
    "clean": crop,
    "JPEG 50": lambda image: codecs.jpeg(crop(image), 50),
    "JPEG 75": lambda image: codecs.jpeg(crop(image), 75),
    "H.264 CRF 28": lambda image: frame(image, "h264", 28),
    "HEVC CRF 34": lambda image: frame(image, "hevc", 34 - HEVC_OFFSET),
    "2/3 size, H.264 CRF 26": lambda image: frame(image, "h264", 26, SMALLER),
}


def static_scene(image: np.ndarray, seed: int) -> np.ndarray:
    """A video of a scene that does not move, with fresh noise in each frame, H.264 of CRF 28.

    Returns:
        uint8 [STATIC, SIDE, SIDE, 3].
    """
    random, clean = np.random.default_rng(seed), crop(image)
    noisy = clean + random.normal(0, NOISE, (STATIC, *clean.shape))
    frames = np.clip(np.rint(noisy), 0, 255).astype(np.uint8)
    return np.stack(codecs.video(list(frames), "h264", 28))
