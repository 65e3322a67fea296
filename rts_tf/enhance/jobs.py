"""Plan an enhancement: which images and videos are to be enhanced, and which files are written."""

import collections
import mimetypes
import os
import pathlib
from collections.abc import Sequence
from typing import NamedTuple

from PIL import Image

from rts_tf.errors import ConfigError, ImageError
from rts_tf.images.formats import (
    IMAGE_SUFFIXES,
    KINDS,
    NAMES,
    kind_of_file,
    kind_of_suffix,
    refusal,
)
from rts_tf.images.image_file import is_image_file
from rts_tf.images.listing import listing, passed_over
from rts_tf.images.write import format_of
from rts_tf.storage import LONGEST_NAME
from rts_tf.video.suffixes import OUTPUT_SUFFIXES, VIDEO_SUFFIXES


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


class Plan(NamedTuple):
    """The plan of an enhancement.

    Attributes:
        jobs: What is to be enhanced.
        done: What is enhanced already.
        errors: A line for each folder without images and videos, and for each file whose output
            would have too long a name.
        passed_over: The line about other files in the folders, or empty.
    """

    jobs: list[Job]
    done: list[Job]
    errors: list[str]
    passed_over: str = ""

    def only(self, videos: bool) -> "Plan":
        """The part of the plan for videos, or for images."""
        jobs, done = ([j for j in each if j.video == videos] for each in (self.jobs, self.done))
        return self._replace(jobs=jobs, done=done)


def plan(inputs: Sequence[str], output: str, overwrite: bool) -> Plan:
    """Plan the enhancement of files and of folders, which are searched recursively.

    The tree of a folder is kept below ``output``. If ``output`` lies in the folder, it is not
    searched. In a folder, a video whose container cannot be written becomes a .mkv, and an image
    has a suffix that its format has, or .png if that format is not written: see
    :func:`_image_in_folder`.

    Args:
        inputs: Files and folders.
        output: A file for a single input file, else a folder.
        overwrite: Whether files that exist are made again, inputs included.

    Raises:
        ConfigError: ``output`` cannot hold the files, or a file would be written over an input or
            twice.
    """
    single = len(inputs) == 1 and not os.path.isdir(inputs[0])
    into = not single or os.path.isdir(output) or output.endswith(os.sep)
    names_a_file = pathlib.Path(output).suffix.lower() in (*IMAGE_SUFFIXES, *OUTPUT_SUFFIXES)
    if into and (os.path.isfile(output) or (not os.path.isdir(output) and names_a_file)):
        raise ConfigError(f"`output`={output}: is a file; name a folder for several images.")
    found: list[Job] = []
    errors: list[str] = []
    others: list[pathlib.Path] = []
    for given in inputs:
        if os.path.isdir(given):
            found += _jobs_in(given, output, errors, others)
        else:
            name = os.path.basename(given)
            video = is_video(given) or (not into and _becomes_a_video(given, output))
            target = pathlib.Path(output)
            if into:
                target = _in_folder(output, given, name, video)
            found.append(Job(given, target, name, video))
    if not into:
        _check_suffix(output, found[0])
    found = _with_possible_names(_distinct(found), errors)
    _check_targets(found, overwrite)
    done = {job for job in found if os.path.exists(job.target) and not overwrite}
    jobs = [job for job in found if job not in done]
    return Plan(jobs, [job for job in found if job in done], errors, passed_over(others))


def is_video(path: str | os.PathLike) -> bool:
    """Whether a file is to be read as a video.

    It is not if it begins like an image. Else the suffix decides. If that says nothing, the file is
    a video. Images of formats that are not read (HEIC, PDF) are not videos either, although FFmpeg
    reads some of them.
    """
    if is_image_file(path):
        return False
    suffix = pathlib.Path(path).suffix.lower()
    if suffix in (*VIDEO_SUFFIXES, *IMAGE_SUFFIXES):
        return suffix in VIDEO_SUFFIXES
    kind = mimetypes.guess_type(path)[0] or ""
    return not (kind.startswith(("image/", "text/")) or suffix in Image.registered_extensions())


def _becomes_a_video(given: str, output: str) -> bool:
    """Whether ``given`` is an animation, or a GIF at all, and ``output`` a video."""
    if pathlib.Path(output).suffix.lower() not in OUTPUT_SUFFIXES:
        return False
    try:
        with Image.open(given, formats=("GIF", "PNG", "WEBP")) as image:
            return image.format == "GIF" or getattr(image, "n_frames", 1) > 1
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return False


def _jobs_in(given: str, output: str, errors: list[str], others: list[pathlib.Path]) -> list[Job]:
    """The jobs for a folder.

    Args:
        errors: Gets a line if the folder holds nothing to enhance.
        others: Gets the files that are passed over.
    """
    images, rest = listing(given)
    within = os.path.relpath(os.path.realpath(output), os.path.realpath(given))
    within = f"{within.replace(os.sep, '/')}/"
    found = []
    for i, name in enumerate((*images, *rest)):
        image = i < len(images)
        video = not image and pathlib.Path(name).suffix.lower() in VIDEO_SUFFIXES
        source = os.path.join(given, name)
        if name.startswith(within):
            continue
        if image or video:
            found.append(Job(source, _in_folder(output, source, name, video), name, video))
        else:
            others.append(pathlib.Path(source))
    if not found:
        errors.append(f"{given}: holds no images ({NAMES}) and no videos.")
    return found


def _in_folder(output: str, source: str, name: str, video: bool) -> pathlib.Path:
    if not video:
        return _image_in_folder(pathlib.Path(output, name), source)
    target = pathlib.Path(output, name)
    if target.suffix.lower() not in OUTPUT_SUFFIXES:
        return target.with_suffix(".mkv")
    return target


def _image_in_folder(target: pathlib.Path, source: str) -> pathlib.Path:
    """``target`` with a suffix of the format of ``source``: a PNG called a.jpg becomes a.png.

    An image without a suffix gets one. A format that is not written becomes another one.
    """
    kind, said = kind_of_file(source), kind_of_suffix(target)
    if not kind or (kind == said and KINDS[kind].written):
        return target
    suffix = KINDS[kind].suffix_written
    return target.with_suffix(suffix) if said else pathlib.Path(f"{target}{suffix}")


def _distinct(jobs: list[Job]) -> list[Job]:
    """Put the suffix behind the whole name of each image that would take the name of another.

    Beside a logo.png, logo.gif becomes logo.gif.png.
    """
    taken = collections.Counter(job.target for job in jobs)
    distinct = []
    for job in jobs:
        renamed = not job.video and job.target.name != os.path.basename(job.name)
        if renamed and taken[job.target] > 1:
            name = f"{os.path.basename(job.name)}{job.target.suffix}"
            job = job._replace(target=job.target.with_name(name))
        distinct.append(job)
    return distinct


def _check_suffix(output: str, job: Job) -> None:
    """Raise ConfigError if the suffix of ``output`` is not that of a format that can be written."""
    suffixes = ", ".join(OUTPUT_SUFFIXES)
    try:
        if job.video and pathlib.Path(output).suffix.lower() not in OUTPUT_SUFFIXES:
            if pathlib.Path(job.source).suffix.lower() not in VIDEO_SUFFIXES:
                raise ConfigError(
                    f"{job.source}: {refusal('')}; if it is a video, end `output` in {suffixes}."
                )
            raise ImageError(
                f"{output}: cannot tell the container of a video; end it in {suffixes}"
            )
        if not job.video:
            format_of(output)
    except ImageError as error:
        raise ConfigError(f"`output`={error}, or name a folder that is there.") from None


def _with_possible_names(jobs: list[Job], errors: list[str]) -> list[Job]:
    """The jobs whose targets have names that a file system takes; ``errors`` names the others."""
    for job in jobs:
        if len(os.fsencode(job.target.name)) > LONGEST_NAME:
            errors.append(
                f"{job.source}: would become a file whose name, which ends in {job.target.suffix},"
                f" has more than {LONGEST_NAME} bytes; give it a shorter one."
            )
    return [job for job in jobs if len(os.fsencode(job.target.name)) <= LONGEST_NAME]


def _check_targets(jobs: list[Job], overwrite: bool) -> None:
    """Raise ConfigError if a file would be written over an input, or twice."""
    sources = {os.path.realpath(job.source) for job in jobs}
    targets: dict[str, str] = {}
    for job in jobs:
        target = os.path.realpath(job.target)
        if target in sources and not overwrite:
            kind = "videos" if job.video else "images"
            raise ConfigError(
                f"{job.target}: is one of the {kind}; name another `output`, or allow it with"
                " `overwrite`."
            )
        if target in targets:
            both = f"{targets[target]} and {job.source}"
            raise ConfigError(
                f"{both} would both become {job.target}; enhance them to different folders, one"
                " after the other."
            )
        targets[target] = job.source
