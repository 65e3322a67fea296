"""Many images through a network, with reading and writing beside it."""

import errno
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

import cv2
import numpy as np

from rts_tf.cli.progress import RunProgress
from rts_tf.enhance.jobs import Job
from rts_tf.errors import ImageError, RtsError
from rts_tf.images.image_file import ImageFile, pixel_count, read_image_file
from rts_tf.images.write import write_image_file
from rts_tf.report.comparison import Comparison

# Pixels of a ImageFile, and what to call with every number of them that is done -> enhanced pixels
Network = Callable[[np.ndarray, Callable[[int], None]], np.ndarray]

OVERLAPPED = 20_000_000  # pixels; of larger pictures one at a time is in memory


def enhanced(photograph: ImageFile, pixels: np.ndarray) -> ImageFile:
    """``photograph`` with enhanced ``pixels``; where they are twice as many a side, alpha is enlarged too, bilinearly."""
    alpha = photograph.alpha
    if alpha is not None and pixels.shape[:2] != alpha.shape:
        alpha = cv2.resize(alpha, pixels.shape[1::-1], interpolation=cv2.INTER_LINEAR)
    return photograph._replace(pixels=pixels, alpha=alpha)


def enhance_all(
    jobs: Sequence[Job],
    network: Network,
    progress: RunProgress,
    sizes: Sequence[int],
    comparison: Comparison | None = None,
) -> tuple[list[str], list[str]]:
    """Read, enhance and write every picture; the next is read and the last written while the network works.

    Args:
        network: raises ImageError where it cannot.
        progress: with the megapixels of all under "enhancing".
        sizes: pixels of each picture, 0 where unknown.
        comparison: is told of every picture.

    Returns:
        The errors of the pictures that failed, and remarks on others.

    Raises:
        RtsError: no room is left on the disk.
        Interrupted: what is written is whole.
    """
    errors, remarks = [], []
    small = [size <= OVERLAPPED for size in sizes]
    reading: dict[int, Future] = {}
    writing: tuple[Job, Future] | None = None

    def finish() -> None:
        nonlocal writing
        if writing:
            job, future = writing
            writing = None
            try:
                future.result()
            except ImageError as error:
                errors.append(str(error))
            except OSError as error:
                reason = f"{job.target}: cannot be written ({error.strerror or error})"
                if error.errno in (errno.ENOSPC, errno.EDQUOT):
                    raise RtsError(
                        f"{reason}. What was done is kept; make room and run the command again."
                    ) from None
                errors.append(reason)

    with ThreadPoolExecutor(1) as reader, ThreadPoolExecutor(1) as writer:
        for i, job in enumerate(jobs):
            if not small[i]:
                finish()
            future = reading.pop(i, None) or reader.submit(read_image_file, job.source)
            try:
                before = future.result()
            except ImageError as error:
                errors.append(str(error))
                progress.skip("enhancing", sizes[i] / 1e6)
                continue
            finally:
                del future  # it would keep the picture
                if i + 1 < len(jobs) and small[i] and small[i + 1]:
                    reading[i + 1] = reader.submit(read_image_file, jobs[i + 1].source)
            if before.warning:
                remarks.append(f"{job.source}: {before.warning}")
            label = f"picture {i + 1}/{len(jobs)}"

            def on_pixels(count: int, label: str = label) -> None:
                progress.advance("enhancing", count / 1e6, label, count / 1e6, "megapixels")

            try:
                after = enhanced(before, network(before.pixels, on_pixels))
            except ImageError as error:
                errors.append(f"{job.source}: {error}")
                continue
            finish()
            writing = (
                job,
                writer.submit(_write, job, before if comparison else None, after, comparison),
            )
            del before, after
            if not small[i]:
                finish()
        finish()
    return errors, remarks


def _write(
    job: Job, before: ImageFile | None, after: ImageFile, comparison: Comparison | None
) -> None:
    job.target.parent.mkdir(parents=True, exist_ok=True)
    write_image_file(job.target, after)
    if comparison and before:
        comparison.add(job.name, before, after)


def compare_done(jobs: Sequence[Job], comparison: Comparison) -> None:
    """Tell ``comparison`` of pictures that were enhanced before; those that no longer can be compared are passed over."""
    for job in jobs:
        try:
            before, after = read_image_file(job.source), read_image_file(job.target)
        except ImageError:
            continue
        shape = before.pixels.shape[:2]
        if after.pixels.shape[:2] in (shape, (2 * shape[0], 2 * shape[1])):
            comparison.add(job.name, before, after)


def sizes_of(jobs: Sequence[Job]) -> list[int]:
    """Pixels of each picture, 0 where it cannot be read."""
    return [pixel_count(job.source) for job in jobs]
