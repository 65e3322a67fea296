"""Many pictures through a network: what is to be made of what, and the making, with reading and writing beside it.

Films are planned here too, and made in rts_tf.enhancing_video.
"""

import errno
import mimetypes
import os
import pathlib
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import NamedTuple

import cv2
import numpy as np
from PIL import Image

from rts_tf.comparison import Comparison
from rts_tf.data.photos import folder
from rts_tf.errors import ConfigError, PictureError, RtsError
from rts_tf.imaging.files import FILM_OUTPUTS, FILM_SUFFIXES, SUFFIXES
from rts_tf.imaging.photographs import Photograph, format_of, is_picture, pixels_of, read_photograph, write_photograph
from rts_tf.progress import RunProgress

# Pixels of a Photograph, and what to call with every number of them that is done -> enhanced pixels
Network = Callable[[np.ndarray, Callable[[int], None]], np.ndarray]

OVERLAPPED = 20_000_000  # pixels; of larger pictures one at a time is in memory


class Job(NamedTuple):
    """A picture or film, and the file to write."""

    source: str
    target: pathlib.Path
    name: str  # below the folder that was named
    film: bool = False


class Plan(NamedTuple):
    """What is to be made, what is there already, and the errors of folders without pictures and films."""

    jobs: list[Job]
    done: list[Job]
    errors: list[str]

    def only(self, films: bool) -> "Plan":
        """Of films alone, or of pictures alone."""
        return self._replace(jobs=[j for j in self.jobs if j.film == films], done=[j for j in self.done if j.film == films])


def plan(inputs: Sequence[str], output: str, overwrite: bool) -> Plan:
    """Every picture and film that is named, or lies in a folder that is named, and its place in or at ``output``.

    A film in a container that cannot be written becomes a .mkv in a folder. A folder's tree is kept below ``output``; if that
    lies in the folder, it is not searched.

    Raises:
        ConfigError: ``output`` cannot hold them, would be written over an input, or twice.
    """
    single = len(inputs) == 1 and not os.path.isdir(inputs[0])
    into = not single or os.path.isdir(output) or output.endswith(os.sep)
    names_a_file = pathlib.Path(output).suffix.lower() in (*SUFFIXES, *FILM_OUTPUTS)
    if into and (os.path.isfile(output) or (not os.path.isdir(output) and names_a_file)):
        raise ConfigError(f"--output={output}: is a file; name a folder for several pictures.")
    found, errors = [], []
    for given in inputs:
        if not os.path.isdir(given):
            name, film = os.path.basename(given), is_film(given)
            target = _in_folder(output, name, film) if into else pathlib.Path(output)
            found.append(Job(given, target, name, film))
            continue
        films = _films_below(given)
        try:
            names = folder(given, "").names
        except ConfigError as error:
            names = ()
            if not films:
                errors.append(str(error))
        within = os.path.relpath(os.path.realpath(output), os.path.realpath(given)).replace(os.sep, "/")
        for name in (*names, *films):
            if within == "." or not name.startswith(f"{within}/"):
                film = name in films
                found.append(Job(os.path.join(given, name), _in_folder(output, name, film), name, film))
    if not into:
        _check_suffix(output, found[0])
    _check_targets(found, overwrite)
    done = [job for job in found if os.path.exists(job.target) and not overwrite]
    return Plan([job for job in found if job not in set(done)], done, errors)


def is_film(path: str | os.PathLike) -> bool:
    """By the suffix; where that says nothing, whatever is no picture is a film.

    Pictures that are not read (GIF, AVIF, PDF) are not films either, though FFmpeg reads some.
    """
    suffix = pathlib.Path(path).suffix.lower()
    if suffix in (*FILM_SUFFIXES, *SUFFIXES):
        return suffix in FILM_SUFFIXES
    kind = mimetypes.guess_type(path)[0] or ""
    return not (kind.startswith(("image/", "text/")) or suffix in Image.registered_extensions() or is_picture(path))


def _films_below(path: str) -> tuple[str, ...]:
    root = pathlib.Path(path)
    found = (p for p in root.rglob("*") if p.suffix.lower() in FILM_SUFFIXES and p.is_file() and not p.name.startswith("."))
    return tuple(sorted(p.relative_to(root).as_posix() for p in found))


def _in_folder(output: str, name: str, film: bool) -> pathlib.Path:
    target = pathlib.Path(output, name)
    return target.with_suffix(".mkv") if film and target.suffix.lower() not in FILM_OUTPUTS else target


def _check_suffix(output: str, job: Job) -> None:
    try:
        if job.film and pathlib.Path(output).suffix.lower() not in FILM_OUTPUTS:
            if pathlib.Path(job.source).suffix.lower() not in FILM_SUFFIXES:
                wanted = f"if it is a film, end --output in {', '.join(FILM_OUTPUTS)}"
                raise ConfigError(f"{job.source}: is not a PNG, JPEG, WebP, TIFF or BMP picture; {wanted}.")
            raise PictureError(f"{output}: cannot tell the container of a film; end it in {', '.join(FILM_OUTPUTS)}")
        if not job.film:
            format_of(output)
    except PictureError as error:
        raise ConfigError(f"--output={error}, or name a folder that is there.") from None


def _check_targets(jobs: list[Job], overwrite: bool) -> None:
    sources, targets = {os.path.realpath(job.source) for job in jobs}, {}
    for job in jobs:
        target = os.path.realpath(job.target)
        if target in sources and not overwrite:
            kind = "films" if job.film else "pictures"
            raise ConfigError(f"{job.target}: is one of the {kind}; name another --output, or allow it with --overwrite.")
        if target in targets:
            both = f"{targets[target]} and {job.source}"
            raise ConfigError(f"{both} would both become {job.target}; enhance them to different folders, one after the other.")
        targets[target] = job.source


def enhanced(photograph: Photograph, pixels: np.ndarray) -> Photograph:
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
        network: raises PictureError where it cannot.
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
            except PictureError as error:
                errors.append(str(error))
            except OSError as error:
                reason = f"{job.target}: cannot be written ({error.strerror or error})"
                if error.errno in (errno.ENOSPC, errno.EDQUOT):
                    raise RtsError(f"{reason}. What was done is kept; make room and run the command again.") from None
                errors.append(reason)

    with ThreadPoolExecutor(1) as reader, ThreadPoolExecutor(1) as writer:
        for i, job in enumerate(jobs):
            if not small[i]:
                finish()
            future = reading.pop(i, None) or reader.submit(read_photograph, job.source)
            try:
                before = future.result()
            except PictureError as error:
                errors.append(str(error))
                progress.skip("enhancing", sizes[i] / 1e6)
                continue
            finally:
                del future  # it would keep the picture
                if i + 1 < len(jobs) and small[i] and small[i + 1]:
                    reading[i + 1] = reader.submit(read_photograph, jobs[i + 1].source)
            if before.remark:
                remarks.append(f"{job.source}: {before.remark}")
            label = f"picture {i + 1}/{len(jobs)}"

            def on_pixels(count: int, label: str = label) -> None:
                progress.advance("enhancing", count / 1e6, label, count / 1e6, "megapixels")

            try:
                after = enhanced(before, network(before.pixels, on_pixels))
            except PictureError as error:
                errors.append(f"{job.source}: {error}")
                continue
            finish()
            writing = job, writer.submit(_write, job, before if comparison else None, after, comparison)
            del before, after
            if not small[i]:
                finish()
        finish()
    return errors, remarks


def _write(job: Job, before: Photograph | None, after: Photograph, comparison: Comparison | None) -> None:
    job.target.parent.mkdir(parents=True, exist_ok=True)
    write_photograph(job.target, after)
    if comparison and before:
        comparison.add(job.name, before, after)


def compare_done(jobs: Sequence[Job], comparison: Comparison) -> None:
    """Tell ``comparison`` of pictures that were enhanced before; those that no longer can be compared are passed over."""
    for job in jobs:
        try:
            before, after = read_photograph(job.source), read_photograph(job.target)
        except PictureError:
            continue
        shape = before.pixels.shape[:2]
        if after.pixels.shape[:2] in (shape, (2 * shape[0], 2 * shape[1])):
            comparison.add(job.name, before, after)


def sizes_of(jobs: Sequence[Job]) -> list[int]:
    """Pixels of each picture, 0 where it cannot be read."""
    return [pixels_of(job.source) for job in jobs]
