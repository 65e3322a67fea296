"""The files that are written: where they lie, and what their names are."""

import collections
import os
import pathlib
from collections.abc import Sequence
from typing import NamedTuple

from rts_tf.errors import ConfigError
from rts_tf.images.formats import KINDS, kind_of_file, kind_of_suffix
from rts_tf.storage import LONGEST_NAME, hidden_name
from rts_tf.video.suffixes import OUTPUT_SUFFIXES

ENHANCED = "_enhanced"  # behind the name of an input, where no output is named
_NAMED = 3  # the most files that a line names


class Job(NamedTuple):
    """An image or a video, and the file to write.

    Attributes:
        source: The file to read.
        target: The file to write.
        name: The path of the source below the folder that was named.
        video: Whether it is a video.
    """

    source: str
    target: pathlib.Path
    name: str
    video: bool = False


def beside(source: str, video: bool) -> pathlib.Path:
    """The file for which no output is named: of photo.jpg that is photo_enhanced.jpg beside it."""
    stem, suffix = os.path.splitext(os.path.basename(source))
    return in_folder(os.path.dirname(source), source, f"{stem}{ENHANCED}{suffix}", video)


def folder_beside(folder: str) -> str:
    """The folder for the images and videos of ``folder``, for which no output is named.

    Raises:
        ConfigError: It is a file, or ``folder`` has no name.
    """
    path = os.path.normpath(folder)
    if os.path.basename(path) in ("", os.curdir, os.pardir):
        path = os.path.abspath(path)
    if not os.path.basename(path):
        raise ConfigError(f"{folder}: has no folder beside it; name an `output`.")
    if os.path.isfile(path := f"{path}{ENHANCED}"):
        raise ConfigError(f"{path}: is a file, and no folder can be made there; name an `output`.")
    return path


def in_folder(output: str, source: str, name: str, video: bool) -> pathlib.Path:
    """The file in the folder ``output`` for ``source``, which is to be called ``name``.

    A video whose container is not written becomes a .mkv.
    """
    target = pathlib.Path(output, name)
    if not video:
        return _of_its_format(target, source)
    return target if target.suffix.lower() in OUTPUT_SUFFIXES else target.with_suffix(".mkv")


def _of_its_format(target: pathlib.Path, source: str) -> pathlib.Path:
    """``target`` with a suffix of the format of ``source``: a PNG called a.jpg becomes a.png.

    An image without a suffix gets one. A format that is not written becomes another one.
    """
    kind, said = kind_of_file(source), kind_of_suffix(target)
    if not kind or (kind == said and KINDS[kind].written):
        return target
    suffix = KINDS[kind].suffix_written
    return target.with_suffix(suffix) if said else pathlib.Path(f"{target}{suffix}")


def root_of(target: pathlib.Path) -> pathlib.Path:
    """The hidden directory beside a video to write."""
    return target.with_name(hidden_name(target.name, ".rts"))


def distinct(jobs: Sequence[Job]) -> list[Job]:
    """Put the suffix behind the whole name of each image that would take the name of another.

    Beside a logo.png, logo.gif becomes logo.gif.png.
    """
    taken = collections.Counter(job.target for job in jobs)
    renamed = []
    for job in jobs:
        suffix = pathlib.Path(job.name).suffix
        if not job.video and job.target.suffix != suffix and taken[job.target] > 1:
            name = f"{job.target.stem}{suffix}{job.target.suffix}"
            job = job._replace(target=job.target.with_name(name))
        renamed.append(job)
    return renamed


def made_of_others(jobs: Sequence[Job]) -> set[Job]:
    """The jobs whose sources are what ``jobs`` make of other sources, if no output is named.

    So a pattern such as ``*.jpg`` does not enhance photo_enhanced.jpg when it is given again.
    """
    makers: dict[str, set[str]] = collections.defaultdict(set)
    for job in jobs:
        for target in {job.target, beside(job.source, job.video)}:
            makers[os.path.realpath(target)].add(job.source)
    return {job for job in jobs if makers[os.path.realpath(job.source)] - {job.source}}


def with_possible_names(jobs: Sequence[Job], errors: list[str]) -> list[Job]:
    """The jobs whose targets have names that a file system takes; ``errors`` names the others."""
    for job in jobs:
        if len(os.fsencode(job.target.name)) > LONGEST_NAME:
            errors.append(
                f"{job.source}: would become a file whose name, which ends in {job.target.suffix},"
                f" has more than {LONGEST_NAME} bytes; give it a shorter one."
            )
    return [job for job in jobs if len(os.fsencode(job.target.name)) <= LONGEST_NAME]


def conversions(jobs: Sequence[Job]) -> list[str]:
    """A line for each format among the sources that is not written: what such a file becomes."""
    found: dict[str, list[Job]] = collections.defaultdict(list)
    for job in jobs:
        kind = "" if job.video else kind_of_file(job.source)
        if kind and not KINDS[kind].written:
            found[KINDS[kind].name].append(job)
        elif job.video and job.target.suffix != (suffix := pathlib.Path(job.source).suffix):
            found[suffix or "a file without a suffix"].append(job)
    return [
        f"{name} is not written: {of_it[0].source} becomes {of_it[0].target}"
        + (f" (and {len(of_it) - 1} more likewise)" if len(of_it) > 1 else "")
        for name, of_it in found.items()
    ]


def listed(paths: Sequence[str | os.PathLike]) -> str:
    """The names of files for a line; of many only the first ones and their number."""
    names = [os.fspath(path) for path in paths]
    if len(names) <= _NAMED:
        return ", ".join(names)
    return f"{', '.join(names[: _NAMED - 1])} and {len(names) - _NAMED + 1} others"
