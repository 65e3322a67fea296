"""Measures many images in parallel for a command, with a progress line."""

import contextlib
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

import cv2
from rich.console import Console

from rts_tf.cli.progress import RunProgress
from rts_tf.errors import ImageError
from rts_tf.metrics.parallel import in_parallel

Item = TypeVar("Item")
Row = TypeVar("Row")


def measure_images(
    images: Iterable[Item], total: int, measure: Callable[[Item], Row], workers: int = 0
) -> tuple[list[Row], list[str]]:
    """Measure images, each in a thread of its own, and show the progress on stderr.

    Args:
        images: Is iterated in one thread, no faster than the images are measured.
        total: The number of ``images``.
        measure: May raise ImageError.
        workers: The number of threads; 0 stands for one per processor.

    Returns:
        The results in order, and the errors of the images that could not be measured.

    Raises:
        Interrupted: The user asked to stop.
    """

    def measured(image: Item) -> Row | ImageError:
        try:
            return measure(image)
        except ImageError as error:
            return error

    rows: list[Row] = []
    errors: list[str] = []
    progress = RunProgress({"measuring": total}, Console(stderr=True, highlight=False))
    results = in_parallel(measured, images, workers)
    with progress.running(), contextlib.closing(results):
        for count, result in enumerate(results, start=1):
            if isinstance(result, ImageError):
                errors.append(str(result))
            else:
                rows.append(result)
            progress.advance("measuring", 1, f"measured {count} of {total} images", 1, "images")
    return rows, errors


@contextlib.contextmanager
def errors_name(file: str) -> Iterator[None]:
    """Raise what measuring raises about an image as an ImageError that names its file."""
    try:
        yield
    except (ImageError, MemoryError, cv2.error) as error:
        reason = " ".join(str(error).split()) or "no memory"
        raise ImageError(f"{file}: cannot be measured ({reason})") from None
