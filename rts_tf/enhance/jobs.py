"""Many pictures through a network: what is to be made of what, and the making, with reading and writing beside it.

Films are planned here too, and made in rts_tf.enhance.video.
"""

import mimetypes
import os
import pathlib
from collections.abc import Sequence
from typing import NamedTuple

from PIL import Image

from rts_tf.data.datasets import folder
from rts_tf.errors import ConfigError, ImageError
from rts_tf.images.image_file import is_image_file
from rts_tf.images.read import IMAGE_SUFFIXES
from rts_tf.images.write import format_of
from rts_tf.video.suffixes import OUTPUT_SUFFIXES, VIDEO_SUFFIXES


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
        return self._replace(
            jobs=[j for j in self.jobs if j.film == films],
            done=[j for j in self.done if j.film == films],
        )


def plan(inputs: Sequence[str], output: str, overwrite: bool) -> Plan:
    """Every picture and film that is named, or lies in a folder that is named, and its place in or at ``output``.

    A film in a container that cannot be written becomes a .mkv in a folder. A folder's tree is kept below ``output``; if that
    lies in the folder, it is not searched.

    Raises:
        ConfigError: ``output`` cannot hold them, would be written over an input, or twice.
    """
    single = len(inputs) == 1 and not os.path.isdir(inputs[0])
    into = not single or os.path.isdir(output) or output.endswith(os.sep)
    names_a_file = pathlib.Path(output).suffix.lower() in (*IMAGE_SUFFIXES, *OUTPUT_SUFFIXES)
    if into and (os.path.isfile(output) or (not os.path.isdir(output) and names_a_file)):
        raise ConfigError(f"--output={output}: is a file; name a folder for several pictures.")
    found, errors = [], []
    for given in inputs:
        if not os.path.isdir(given):
            name, film = os.path.basename(given), is_video(given)
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
        within = os.path.relpath(os.path.realpath(output), os.path.realpath(given)).replace(
            os.sep, "/"
        )
        for name in (*names, *films):
            if within == "." or not name.startswith(f"{within}/"):
                film = name in films
                found.append(
                    Job(os.path.join(given, name), _in_folder(output, name, film), name, film)
                )
    if not into:
        _check_suffix(output, found[0])
    _check_targets(found, overwrite)
    done = [job for job in found if os.path.exists(job.target) and not overwrite]
    return Plan([job for job in found if job not in set(done)], done, errors)


def is_video(path: str | os.PathLike) -> bool:
    """By the suffix; where that says nothing, whatever is no picture is a film.

    Pictures that are not read (GIF, AVIF, PDF) are not films either, though FFmpeg reads some.
    """
    suffix = pathlib.Path(path).suffix.lower()
    if suffix in (*VIDEO_SUFFIXES, *IMAGE_SUFFIXES):
        return suffix in VIDEO_SUFFIXES
    kind = mimetypes.guess_type(path)[0] or ""
    return not (
        kind.startswith(("image/", "text/"))
        or suffix in Image.registered_extensions()
        or is_image_file(path)
    )


def _films_below(path: str) -> tuple[str, ...]:
    root = pathlib.Path(path)
    found = (
        p
        for p in root.rglob("*")
        if p.suffix.lower() in VIDEO_SUFFIXES and p.is_file() and not p.name.startswith(".")
    )
    return tuple(sorted(p.relative_to(root).as_posix() for p in found))


def _in_folder(output: str, name: str, film: bool) -> pathlib.Path:
    target = pathlib.Path(output, name)
    return (
        target.with_suffix(".mkv")
        if film and target.suffix.lower() not in OUTPUT_SUFFIXES
        else target
    )


def _check_suffix(output: str, job: Job) -> None:
    try:
        if job.film and pathlib.Path(output).suffix.lower() not in OUTPUT_SUFFIXES:
            if pathlib.Path(job.source).suffix.lower() not in VIDEO_SUFFIXES:
                wanted = f"if it is a film, end --output in {', '.join(OUTPUT_SUFFIXES)}"
                raise ConfigError(
                    f"{job.source}: is not a PNG, JPEG, WebP, TIFF or BMP picture; {wanted}."
                )
            raise ImageError(
                f"{output}: cannot tell the container of a film; end it in {', '.join(OUTPUT_SUFFIXES)}"
            )
        if not job.film:
            format_of(output)
    except ImageError as error:
        raise ConfigError(f"--output={error}, or name a folder that is there.") from None


def _check_targets(jobs: list[Job], overwrite: bool) -> None:
    sources, targets = {os.path.realpath(job.source) for job in jobs}, {}
    for job in jobs:
        target = os.path.realpath(job.target)
        if target in sources and not overwrite:
            kind = "films" if job.film else "pictures"
            raise ConfigError(
                f"{job.target}: is one of the {kind}; name another --output, or allow it with --overwrite."
            )
        if target in targets:
            both = f"{targets[target]} and {job.source}"
            raise ConfigError(
                f"{both} would both become {job.target}; enhance them to different folders, one after the other."
            )
        targets[target] = job.source
