"""Shows, before a long job, what every network of the package does to the most detailed parts.

It reads a few of the inputs, and writes nothing but one page.
"""

from __future__ import annotations

import importlib.util
import os
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from rts_tf import pretrained
from rts_tf.enhance import AUTO, FAST
from rts_tf.enhance.amounts import about
from rts_tf.enhance.choice import Choice, for_image, for_video, in_real_time
from rts_tf.enhance.targets import Job
from rts_tf.enhance.weights import Weights
from rts_tf.errors import ImageError, VideoError
from rts_tf.images.detail import Window, most_detailed
from rts_tf.images.image_file import pixel_count, read_image_file
from rts_tf.luma.enhancer import LumaEnhancer, luma_of
from rts_tf.luma.loading import is_luma_model
from rts_tf.report.preview_page import Candidate, Section

if TYPE_CHECKING:
    from rts_tf.enhance.frame_enhancers import Model
    from rts_tf.enhance.progress import Progress

PREVIEW = "preview"  # the phase, whose work is counted in networks
SIDE = 512  # pixels of a crop
MARGIN = 32  # pixels around it, which the network sees too
MOST = 4  # crops
_READ = 12  # images, and at most as many videos, that are looked at
_FRAMES = 3  # of a video
_LARGEST = 100_000_000  # pixels of an image that is looked at
# Of a tile: a crop is cut so that all cores have work, as they have with a whole image
_TILE = 384


class Wish(NamedTuple):
    """What the user chose.

    Attributes:
        model: ``AUTO``, ``FAST``, the name of weights, or a path.
        scale: 1 or 2.
        strength: The share of the network's change.
        chroma: Whether the chroma of videos is enhanced too.
    """

    model: str
    scale: int
    strength: float
    chroma: bool


class Crop(NamedTuple):
    """A part of an image, or of a frame.

    Attributes:
        name: Of the file, with the time of the frame.
        seen: uint8 [H, W, 3], what the network is to see: the crop and a margin.
        inner: The crop in it.
        detail: Its detail, see :func:`rts_tf.images.detail.most_detailed`.
        size: Width and height of the whole image.
        chosen: The weights that are chosen for the file.
        luma_only: Whether only its luma is enhanced.
        icc: The colour profile.
    """

    name: str
    seen: np.ndarray
    inner: Window
    detail: float
    size: tuple[int, int]
    chosen: str
    luma_only: bool = False
    icc: bytes = b""


def crops_of(jobs: Sequence[Job], wish: Wish) -> list[Crop]:
    """The most detailed crops of images and videos. Files that cannot be read are passed over."""
    images = [job for job in jobs if not job.video]
    videos = [job for job in jobs if job.video and importlib.util.find_spec("av")]
    found: list[Crop] = []
    for job in _some(images):
        found += _of_image(job, wish)
    for job in _some(videos):
        found += _of_video(job, wish)
    found.sort(key=lambda crop: -crop.detail)
    return sorted(found[:MOST], key=lambda crop: crop.name)


def _some(jobs: Sequence[Job]) -> list[Job]:
    """At most ``_READ`` of the jobs, spread over all of them."""
    count = min(_READ, len(jobs))
    return [jobs[i * len(jobs) // count] for i in range(count)]


def _of_image(job: Job, wish: Wish) -> list[Crop]:
    try:
        image = read_image_file(job.source, _LARGEST)
    except ImageError:
        return []
    chosen = _chosen(wish, lambda: for_image(image, wish.scale))
    icc = image.icc if image.pixels.shape[2] == 3 else b""
    crop = _cut(job.name, image.to_rgb8(), chosen)
    return [crop._replace(icc=icc)]


def _of_video(job: Job, wish: Wish) -> list[Crop]:
    from rts_tf.video.reader import VideoReader
    from rts_tf.video.stills import clock_of, stills

    try:
        with VideoReader(job.source) as reader:
            info = reader.info
        chosen = _chosen(wish, lambda: for_video(info))
        found = stills(job.source, _FRAMES)
    except VideoError:
        return []
    return [
        _cut(f"{job.name}, {clock_of(still.seconds)}", still.pixels, chosen)._replace(
            luma_only=not wish.chroma
        )
        for still in found
    ]


def _chosen(wish: Wish, choose: Callable[[], Choice]) -> str:
    if wish.model not in (AUTO, FAST):
        return wish.model
    choice = choose() if wish.model == AUTO else in_real_time(choose())
    return choice.model


def _cut(name: str, pixels: np.ndarray, chosen: str) -> Crop:
    window = most_detailed(pixels, SIDE)
    height, width = pixels.shape[:2]
    top, left = (max(0, part.start - MARGIN) for part in (window.rows, window.columns))
    seen = pixels[top : window.rows.stop + MARGIN, left : window.columns.stop + MARGIN]
    inner = Window(
        slice(window.rows.start - top, window.rows.stop - top),
        slice(window.columns.start - left, window.columns.stop - left),
        window.detail,
    )
    return Crop(name, seen.copy(), inner, window.detail, (width, height), chosen)


def megapixels_of(jobs: Sequence[Job]) -> float:
    """About how many megapixels all images and frames have."""
    count = sum(pixel_count(job.source) for job in jobs if not job.video) / 1e6
    if any(job.video for job in jobs) and importlib.util.find_spec("av"):
        from rts_tf.enhance import looks

        count += sum(looks.megapixels_of(job) for job in jobs if job.video)
    return count


def summary_of(jobs: Sequence[Job], wish: Wish, megapixels: float) -> str:
    """A sentence about the whole job, which has so many megapixels."""
    videos = sum(job.video for job in jobs)
    counts = [(len(jobs) - videos, "image"), (videos, "video")]
    named = [f"{count} {kind}{'s' if count > 1 else ''}" for count, kind in counts if count]
    return (
        f"{' and '.join(named)}, {megapixels:.3g} megapixels in all; strength"
        f" {wish.strength:g}. Nothing was enhanced but these crops."
    )


def models_for(wish: Wish) -> list[str]:
    """The networks that fit: all of the package that can do it, and that of the user."""
    names = [name for name in pretrained.names() if _fits(name, wish)]
    own = [] if pretrained.resolved(wish.model) in (AUTO, *names) else [wish.model]
    return [*own, *names]


def _fits(name: str, wish: Wish) -> bool:
    if is_luma_model(name):
        return wish.scale == 1 and not wish.chroma
    return wish.scale == 2 or "wide" not in name  # which is trained to enlarge


def sections_of(
    crops: Sequence[Crop], wish: Wish, megapixels: float, progress: Progress
) -> list[Section]:
    """Enhance the crops with every network that fits.

    Args:
        crops: The crops.
        wish: What the user chose.
        megapixels: Of the whole job, for which the time is estimated.
        progress: Counts the networks in the phase ``PREVIEW``.

    Raises:
        RtsError: The network of the user cannot be loaded.
        Interrupted: The user asked to stop.
    """
    candidates: list[list[Candidate]] = [[] for _ in crops]
    for name in models_for(wish):
        weights = Weights(name, wish.scale, wish.strength, _TILE, chroma=wish.chroma)
        model = weights.named()
        for crop in {crop.seen.shape: crop for crop in crops}.values():
            _enhanced(crop, model, wish)  # what happens once for each size is not to be counted
        for crop, of_it in zip(crops, candidates):
            start = time.perf_counter()
            pixels = _enhanced(crop, model, wish)
            pace = (time.perf_counter() - start) / (crop.seen[..., 0].size / 1e6)
            chosen = pretrained.resolved(crop.chosen) == pretrained.resolved(name)
            note = f"{pace:.2g} s per megapixel, about {about(pace * megapixels)} for everything"
            of_it.append(Candidate(name, _purpose(name), note, pace, pixels, chosen))
        progress.advance(PREVIEW, 1, f"preview: {os.path.basename(name)}", 1, "networks")
    return [
        Section(crop.name, _inner(crop.seen, crop, 1), crop.size, of_it, crop.icc)
        for crop, of_it in zip(crops, candidates)
    ]


def _enhanced(crop: Crop, model: Model, wish: Wish) -> np.ndarray:
    """The enhanced crop, uint8."""
    if wish.scale == 2 and not isinstance(model, LumaEnhancer):
        return _inner(model.upscale(crop.seen, wish.strength), crop, 2)
    better = model.enhance(crop.seen, wish.strength)
    if crop.luma_only:
        change = luma_of(better).astype(np.int16) - luma_of(crop.seen)
        better = np.clip(crop.seen + change[..., None], 0, 255).astype(np.uint8)
    return _inner(better, crop, 1)


def _inner(pixels: np.ndarray, crop: Crop, scale: int) -> np.ndarray:
    rows, columns = (
        slice(scale * part.start, scale * part.stop)
        for part in (crop.inner.rows, crop.inner.columns)
    )
    return pixels[rows, columns]


def _purpose(name: str) -> str:
    """What the weights of the package are for, in words."""
    if name not in pretrained.names():
        return "named by you"
    if name.startswith("luma"):
        return f"in real time, {'clean' if 'clean' in name else 'compressed'} input"
    kind = "JPEG" if "jpeg" in name else "compressed video" if "video" in name else "clean input"
    return f"enlarging, {kind}" if "wide" in name else kind
