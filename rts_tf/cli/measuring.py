"""Measures many images for a command, in threads or in Beam, with a progress line."""

import contextlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, TypeVar

import cv2
from rich.console import Console

from rts_tf.beam.work import Work
from rts_tf.cli.progress import RunProgress
from rts_tf.cli.verbosity import is_verbose
from rts_tf.errors import ImageError, first_line
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


def measure_in_beam(
    work: Work, items: Sequence[Any], beam_args: str
) -> tuple[list[Any], list[str]]:
    """Measure images in Beam, and show the progress on stderr.

    Args:
        work: Its results are those of :func:`measured`, with ``devices`` if there is to be a line
            about what computes.
        items: What it is done with.
        beam_args: The flag ``--beam_args``.

    Returns:
        See :func:`measure_images`.

    Raises:
        RtsError: The job could not go on.
        Interrupted: The user asked to stop.
    """
    from rts_tf.beam.options import parsed
    from rts_tf.beam.run import results
    from rts_tf.cli.device_line import DeviceLine

    options = parsed(beam_args, is_verbose())
    progress = RunProgress({"measuring": len(items)}, Console(stderr=True, highlight=False))
    found: dict[int, Any] = {}
    line = DeviceLine()
    done = results(work, items, options, progress.check)
    with progress.running(), contextlib.closing(done):
        for number, result, _ in done:
            found[number] = result
            for device in result.get("devices", ()):
                line.say(device)
            text = f"measured {len(found)} of {len(items)} images"
            progress.advance("measuring", 1, text, 1, "images")
    each = [found[number] for number in range(len(items))]
    rows = [result["row"] for result in each if "row" in result]
    return rows, [result["error"] for result in each if "error" in result]


def measured(measure: Callable[[], Any]) -> dict[str, Any]:
    """What ``measure`` returns, as ``row``, or the ``error`` of the image that it raises."""
    try:
        return {"row": measure()}
    except ImageError as error:
        return {"error": str(error)}


def failure(file: str, error: Exception) -> dict[str, Any]:
    """The result for an image for which something raised what nobody foresaw."""
    return {"error": f"{file}: failed ({type(error).__name__}: {first_line(error)})"}


def alone() -> None:
    """Let OpenCV use one thread, as :func:`rts_tf.metrics.parallel.in_parallel` does."""
    cv2.setNumThreads(1)


@contextlib.contextmanager
def errors_name(file: str) -> Iterator[None]:
    """Raise what measuring raises about an image as an ImageError that names its file."""
    try:
        yield
    except (ImageError, MemoryError, cv2.error) as error:
        reason = " ".join(str(error).split()) or "no memory"
        raise ImageError(f"{file}: cannot be measured ({reason})") from None
