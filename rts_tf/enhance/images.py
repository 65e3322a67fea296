"""Enhance many images. The next is read and the last is written while the network works."""

import contextlib
import errno
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import cv2
import numpy as np

from rts_tf.enhance.jobs import Job
from rts_tf.enhance.pace import Pace, check_room
from rts_tf.enhance.progress import IMAGES, Progress
from rts_tf.errors import ImageError, RtsError
from rts_tf.images.image_file import ImageFile, pixel_count, read_image_file
from rts_tf.images.transparency import visible_only, with_hidden
from rts_tf.images.write import check_writable, write_image_file
from rts_tf.report.comparison import Comparison

# (pixels of an ImageFile, a function to call with each number of pixels that is done)
# -> enhanced pixels
Network = Callable[[np.ndarray, Callable[[int], None]], np.ndarray]
# Finds the network for an image
Choose = Callable[[ImageFile], Network]

OVERLAPPED = 20_000_000  # pixels; of larger images only one at a time is in memory


def shown(image: ImageFile) -> np.ndarray:
    """What a network is to see of ``image``: its pixels, with nothing of hidden colours."""
    return visible_only(image.pixels, image.alpha)


def enhanced(image: ImageFile, pixels: np.ndarray) -> ImageFile:
    """``image`` with enhanced ``pixels``, made of those that :func:`shown` gives.

    If they are twice as many a side, so becomes alpha. Hidden colours are again what they were.
    """
    alpha = image.alpha
    if alpha is not None and pixels.shape[:2] != alpha.shape:
        alpha = cv2.resize(alpha, pixels.shape[1::-1], interpolation=cv2.INTER_LINEAR)
    return image._replace(pixels=with_hidden(pixels, alpha, image.pixels), alpha=alpha)


@contextlib.contextmanager
def first_read(jobs: Sequence[Job], scale: int = 1) -> Iterator[dict[int, Future]]:
    """Read the first image in a thread while the body loads TensorFlow and enhances.

    Yields:
        What :func:`enhance_all` takes as ``reading``.
    """
    with ThreadPoolExecutor(1) as reader:
        yield {i: reader.submit(_read, job, scale) for i, job in enumerate(jobs[:1])}


def enhance_all(
    jobs: Sequence[Job],
    network_for: Choose,
    progress: Progress,
    sizes: Sequence[int],
    comparison: Comparison | None = None,
    scale: int = 1,
    *,
    reading: dict[int, Future] | None = None,
    on_job: Callable[[Job], None] = lambda job: None,
) -> tuple[list[str], list[str]]:
    """Read, enhance and write every image.

    Args:
        network_for: Finds the network that enhances the pixels of an image; the network raises
            ImageError where it cannot.
        progress: Counts the megapixels of all images in the phase ``IMAGES``.
        sizes: The number of pixels of each image, 0 where it is unknown.
        comparison: Is called with each image pair.
        scale: By how much the networks enlarge.
        reading: What :func:`first_read` gives; emptied.
        on_job: Is called when the work on an image begins.

    Returns:
        The errors of the images that failed, and warnings: what was converted or left out.

    Raises:
        RtsError: The disk is full, or evidently too small.
        Interrupted: The user asked to stop; every file that was written is whole.
    """
    errors, warnings = list[str](), list[str]()
    check_room(jobs)
    pace = Pace(sum(sizes) / 1e6, len(jobs))
    small = [size <= OVERLAPPED for size in sizes]
    with ThreadPoolExecutor(1) as pool, _Writer(comparison, errors, warnings) as writer:
        reader = _Reader(pool, jobs, small, scale, {} if reading is None else reading)
        for i, job in enumerate(jobs):
            on_job(job)
            if not small[i]:
                writer.wait()
            try:
                before = reader.image(i)
            except ImageError as error:
                errors.append(str(error))
                progress.skip(IMAGES, sizes[i] / 1e6)
                continue
            warnings += [f"{job.source}: {note}" for note in before.notes]
            on_pixels = _counter(progress, f"image {i + 1}/{len(jobs)}")
            try:
                after = enhanced(before, network_for(before)(shown(before), on_pixels))
            except ImageError as error:
                errors.append(f"{job.source}: {error}")
                continue
            writer.write(job, before, after)
            if line := pace.line_after(sizes[i] / 1e6):
                progress.say(line)
            del before, after
            if not small[i]:
                writer.wait()
    return errors, warnings


def _counter(progress: Progress, label: str) -> Callable[[int], None]:
    """The function to call with each number of pixels that is done."""
    return lambda count: progress.advance(IMAGES, count / 1e6, label, count / 1e6, "megapixels")


def _read(job: Job, scale: int) -> ImageFile:
    """Read an image. Raises ImageError if it cannot be read, or its target has no room for it."""
    image = read_image_file(job.source)
    check_writable(job.target, image, scale)
    return image


class _Reader:
    """Reads images in a thread, and of two small ones the second while the first is enhanced."""

    def __init__(
        self,
        pool: ThreadPoolExecutor,
        jobs: Sequence[Job],
        small: Sequence[bool],
        scale: int,
        reading: dict[int, Future],
    ):
        """``reading``: The images that are being read already, by their numbers; emptied."""
        self._pool, self._jobs, self._small, self._scale = pool, jobs, small, scale
        self._reading = reading

    def image(self, number: int) -> ImageFile:
        """Wait for an image, and begin to read the next one. Raises as :func:`_read`."""
        future = self._reading.pop(number, None) or self._begin(number)
        try:
            return future.result()
        finally:
            del future  # it would keep the image in memory
            if all(self._small[number : number + 2]) and number + 1 < len(self._jobs):
                self._reading[number + 1] = self._begin(number + 1)

    def _begin(self, number: int) -> Future:
        return self._pool.submit(_read, self._jobs[number], self._scale)


class _Writer:
    """Writes one image at a time in a thread of its own; a context manager that waits for it."""

    def __init__(self, comparison: Comparison | None, errors: list[str], warnings: list[str]):
        """``errors``: Gets a line for each image that cannot be written, ``warnings`` the notes."""
        self._comparison, self._errors, self._warnings = comparison, errors, warnings
        self._pool = ThreadPoolExecutor(1)
        self._writing: tuple[Job, Future] | None = None

    def __enter__(self) -> "_Writer":
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        try:
            if kind is None:
                self.wait()
        finally:
            self._pool.shutdown()

    def write(self, job: Job, before: ImageFile, after: ImageFile) -> None:
        """Wait for the image before, and begin to write this one. Raises as :meth:`wait`."""
        self.wait()
        shown = before if self._comparison else None
        self._writing = job, self._pool.submit(_write, job, shown, after, self._comparison)

    def wait(self) -> None:
        """Wait until the image is written. Raises RtsError if the disk is full."""
        if not self._writing:
            return
        (job, future), self._writing = self._writing, None
        try:
            self._warnings += [f"{job.target}: {note}" for note in future.result()]
        except ImageError as error:
            self._errors.append(str(error))
        except OSError as error:
            self._errors.append(not_written(job, error))


def not_written(job: Job, error: Any) -> str:
    """The line about a target that an OSError, or an error of FFmpeg, kept from being written.

    Raises:
        RtsError: The disk is full.
    """
    reason = f"{job.target}: cannot be written ({error.strerror or error})"
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        raise RtsError(
            f"{reason}. What was done is kept; make room and run the command again."
        ) from None
    return reason


def _write(
    job: Job, before: ImageFile | None, after: ImageFile, comparison: Comparison | None
) -> tuple[str, ...]:
    """Write an image: the notes about what its format cannot hold."""
    job.target.parent.mkdir(parents=True, exist_ok=True)
    notes = write_image_file(job.target, after)
    if comparison and before:
        comparison.add(job.name, before, after)
    return notes


def compare_done(jobs: Sequence[Job], comparison: Comparison) -> None:
    """Call ``comparison`` with images that were enhanced before, if both files can be read."""
    for job in jobs:
        try:
            before, after = read_image_file(job.source), read_image_file(job.target)
        except ImageError:
            continue
        height, width = before.pixels.shape[:2]
        if after.pixels.shape[:2] in ((height, width), (2 * height, 2 * width)):
            comparison.add(job.name, before, after)


def sizes_of(jobs: Sequence[Job]) -> list[int]:
    """The number of pixels of each image, 0 where it cannot be read."""
    return [pixel_count(job.source) for job in jobs]
