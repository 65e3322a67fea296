"""Plan an enhancement: which images and videos are to be enhanced, and which files are written."""

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
        errors: A line for each folder without images and videos.
    """

    jobs: list[Job]
    done: list[Job]
    errors: list[str]

    def only(self, videos: bool) -> "Plan":
        """The part of the plan for videos, or for images."""
        jobs, done = ([j for j in each if j.video == videos] for each in (self.jobs, self.done))
        return self._replace(jobs=jobs, done=done)


def plan(inputs: Sequence[str], output: str, overwrite: bool) -> Plan:
    """Plan the enhancement of files and of folders, which are searched recursively.

    The tree of a folder is kept below ``output``. If ``output`` lies in the folder, it is not
    searched. In a folder, a video whose container cannot be written becomes a .mkv.

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
    for given in inputs:
        if os.path.isdir(given):
            found += _jobs_in(given, output, errors)
        else:
            name = os.path.basename(given)
            video = is_video(given) or (not into and _becomes_a_video(given, output))
            target = _in_folder(output, name, video) if into else pathlib.Path(output)
            found.append(Job(given, target, name, video))
    if not into:
        _check_suffix(output, found[0])
    _check_targets(found, overwrite)
    done = [job for job in found if os.path.exists(job.target) and not overwrite]
    return Plan([job for job in found if job not in set(done)], done, errors)


def is_video(path: str | os.PathLike) -> bool:
    """Whether a file is to be read as a video.

    The suffix decides. If it says nothing, a file that is no image is a video. Images of formats
    that are not read (GIF, AVIF, PDF) are not videos either, although FFmpeg reads some of them.
    """
    suffix = pathlib.Path(path).suffix.lower()
    if suffix in (*VIDEO_SUFFIXES, *IMAGE_SUFFIXES):
        return suffix in VIDEO_SUFFIXES
    kind = mimetypes.guess_type(path)[0] or ""
    if kind.startswith(("image/", "text/")) or suffix in Image.registered_extensions():
        return False
    return not is_image_file(path)


def _becomes_a_video(given: str, output: str) -> bool:
    """Whether ``given`` is an animation, or a GIF at all, and ``output`` a video."""
    if pathlib.Path(output).suffix.lower() not in OUTPUT_SUFFIXES:
        return False
    try:
        with Image.open(given, formats=("GIF", "PNG", "WEBP")) as image:
            return image.format == "GIF" or getattr(image, "n_frames", 1) > 1
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return False


def _jobs_in(given: str, output: str, errors: list[str]) -> list[Job]:
    """The jobs for a folder. If it holds nothing to enhance, a line is appended to ``errors``."""
    videos = _videos_below(given)
    try:
        names = folder(given, "").names
    except ConfigError as error:
        names = ()
        if not videos:
            errors.append(str(error))
    within = os.path.relpath(os.path.realpath(output), os.path.realpath(given))
    within = within.replace(os.sep, "/")
    found = []
    for name in (*names, *videos):
        if within == "." or not name.startswith(f"{within}/"):
            video = name in videos
            target = _in_folder(output, name, video)
            found.append(Job(os.path.join(given, name), target, name, video))
    return found


def _videos_below(path: str) -> tuple[str, ...]:
    root = pathlib.Path(path)
    visible = (p for p in root.rglob("*") if p.is_file() and not p.name.startswith("."))
    found = (p for p in visible if p.suffix.lower() in VIDEO_SUFFIXES)
    return tuple(sorted(p.relative_to(root).as_posix() for p in found))


def _in_folder(output: str, name: str, video: bool) -> pathlib.Path:
    target = pathlib.Path(output, name)
    if video and target.suffix.lower() not in OUTPUT_SUFFIXES:
        return target.with_suffix(".mkv")
    return target


def _check_suffix(output: str, job: Job) -> None:
    """Raise ConfigError if the suffix of ``output`` is not that of a format that can be written."""
    suffixes = ", ".join(OUTPUT_SUFFIXES)
    try:
        if job.video and pathlib.Path(output).suffix.lower() not in OUTPUT_SUFFIXES:
            if pathlib.Path(job.source).suffix.lower() not in VIDEO_SUFFIXES:
                raise ConfigError(
                    f"{job.source}: is not a PNG, JPEG, WebP, TIFF or BMP image; if it is a video,"
                    f" end `output` in {suffixes}."
                )
            raise ImageError(
                f"{output}: cannot tell the container of a video; end it in {suffixes}"
            )
        if not job.video:
            format_of(output)
    except ImageError as error:
        raise ConfigError(f"`output`={error}, or name a folder that is there.") from None


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
