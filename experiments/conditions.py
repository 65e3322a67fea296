"""The states in which people have their images: clean, as JPEG, and as a frame of a video.

Every condition is a crop of 512 x 512 pixels out of the middle of an image, cut where 8x8 blocks of
the image begin. A frame of a video is the last of five, in which the image moves by 3 pixels to the
right and 2 down from frame to frame, so that it is mostly predicted from the frames before it.
"""

from collections.abc import Callable, Iterator

import cv2
import numpy as np

from rts_tf.data import codecs
from rts_tf.errors import ImageError

SIDE = 512  # pixels
FRAMES, MOTION = 5, (2, 3)  # of a video, and pixels between two frames along y and x
SMALLER = round(SIDE * 2 / 3)  # pixels a side of a video that was scaled down before it was coded
NOISE = 3.0  # levels; the std of the noise in a longer video
LONGER = 8  # frames of it
SMALLEST = SIDE + 48  # pixels a side of an image, so that LONGER frames stay inside

Condition = Callable[[np.ndarray], np.ndarray]  # uint8 [H, W, 3] to uint8 [SIDE, SIDE, 3]


def crop(image: np.ndarray, up: int = 0, left: int = 0) -> np.ndarray:
    """The crop of an image, moved ``up`` and to the ``left`` by so many pixels.

    Raises:
        ImageError: The image is too small.
    """
    if min(image.shape[:2]) < SMALLEST:
        size = f"{image.shape[1]}x{image.shape[0]}"
        raise ImageError(f"{size} is smaller than {SMALLEST} pixels a side")
    top, start = ((size - SIDE) // 16 * 8 for size in image.shape[:2])
    return image[top - up :, start - left :][:SIDE, :SIDE]


def clean_images(folder: str, count: int = 0) -> Iterator[tuple[str, np.ndarray]]:
    """The images of a folder that are large enough, by name; ``count`` at most unless it is 0."""
    from rts_tf.data.datasets import folder as source_of

    source = source_of(folder, "images")
    for name in source.names[: count or None]:
        try:
            image = source.read(name)
            crop(image)
        except ImageError as error:
            print(f"skipped {name}: {error}")
            continue
        yield name, image


def moving(image: np.ndarray, count: int) -> list[np.ndarray]:
    """``count`` crops, between which the image moves, the last one that of :func:`crop`."""
    dy, dx = MOTION
    return [crop(image, dy * k, dx * k) for k in range(count - 1, -1, -1)]


def frame(image: np.ndarray, codec: str, crf: float, side: int = SIDE) -> np.ndarray:
    """The last frame of a video, coded at ``side`` x ``side`` pixels and scaled back."""
    frames = moving(image, FRAMES)
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
    "HEVC CRF 34": lambda image: frame(image, "hevc", 34 - codecs.VIDEO_CODECS["hevc"].offset),
    "2/3 size, H.264 CRF 26": lambda image: frame(image, "h264", 26, SMALLER),
}


def noisy_video(image: np.ndarray, seed: int) -> np.ndarray:
    """A moving video with fresh noise in each frame, H.264 of CRF 28.

    Without motion the encoder would copy nearly every block from frame to frame.

    Returns:
        uint8 [LONGER, SIDE, SIDE, 3].
    """
    random = np.random.default_rng(seed)
    noisy = [frame + random.normal(0, NOISE, frame.shape) for frame in moving(image, LONGER)]
    frames = [np.clip(np.rint(frame), 0, 255).astype(np.uint8) for frame in noisy]
    return np.stack(codecs.video(frames, "h264", 28))


def aligned(frames: np.ndarray) -> np.ndarray:
    """Cut frames of :func:`moving` so that all show the same part of the image.

    Args:
        frames: [n, SIDE, SIDE, 3].

    Returns:
        [n, H, W, 3], a little smaller.
    """
    count = len(frames)
    height, width = (SIDE - step * (count - 1) for step in MOTION)
    dy, dx = MOTION
    shifts = range(count - 1, -1, -1)
    return np.stack(
        [frame[dy * k :, dx * k :][:height, :width] for frame, k in zip(frames, shifts)]
    )
