"""Plan an enhancement: which images and videos are to be enhanced, and which files are written."""

import mimetypes
import os
import pathlib
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from PIL import Image

from rts_tf.enhance.targets import (
    Job,
    beside,
    conversions,
    distinct,
    folder_beside,
    in_folder,
    listed,
    made_of_others,
    with_possible_names,
)
from rts_tf.errors import ConfigError, ImageError
from rts_tf.images.formats import IMAGE_SUFFIXES, NAMES, refusal
from rts_tf.images.image_file import is_image_file
from rts_tf.images.listing import listing, passed_over
from rts_tf.images.quiet_pillow import quiet_pillow
from rts_tf.images.write import format_of
from rts_tf.video.suffixes import OUTPUT_SUFFIXES, VIDEO_SUFFIXES


class Plan(NamedTuple):
    """The plan of an enhancement.

    Attributes:
        jobs: What is to be enhanced.
        done: What is enhanced already.
        errors: A line for each folder without images and videos, and for each file whose output
            would have too long a name.
        passed_over: Lines about files that are left alone: those of other kinds, and those that
            were made of others.
        notes: Lines about the files to write whose format is not that of their source.
        output: Where the results are, as the user named it or would; empty if they are beside their
            sources.
    """

    jobs: list[Job]
    done: list[Job]
    errors: list[str]
    passed_over: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    output: str = ""

    def only(self, videos: bool) -> "Plan":
        """The part of the plan for videos, or for images."""
        jobs, done = ([j for j in each if j.video == videos] for each in (self.jobs, self.done))
        return self._replace(jobs=jobs, done=done)

    def place(self) -> str:
        """Where the results are, for people."""
        return self.output or listed([job.target for job in (*self.jobs, *self.done)])


def plan(
    inputs: Sequence[str], output: str, overwrite: bool, others: Iterable[pathlib.Path] = ()
) -> Plan:
    """Plan the enhancement of files and of folders, which are searched recursively.

    The tree of a folder is kept below ``output``. If ``output`` lies in the folder, it is not
    searched. In a folder, an image or video whose format is not written becomes one of another
    format: see :func:`rts_tf.enhance.targets.in_folder`.

    Args:
        inputs: Files and folders.
        output: A file for a single input file, else a folder. If it is empty, photo.jpg becomes
            photo_enhanced.jpg beside it, and a folder photos becomes photos_enhanced.
        overwrite: Whether files that exist are made again, inputs included.
        others: Files that are passed over already.

    Raises:
        ConfigError: ``output`` cannot hold the files, or a file would be written over an input or
            twice.
    """
    single = len(inputs) == 1 and not os.path.isdir(inputs[0])
    into = not single or os.path.isdir(output) or output.endswith(os.sep)
    names_a_file = pathlib.Path(output).suffix.lower() in (*IMAGE_SUFFIXES, *OUTPUT_SUFFIXES)
    if into and (os.path.isfile(output) or (not os.path.isdir(output) and names_a_file)):
        raise ConfigError(f"`output`={output}: is a file; name a folder for several images.")
    errors: list[str] = []
    others = list(others)
    found: list[Job] = []
    for given in inputs:
        if os.path.isdir(given):
            found += _jobs_in(given, output or folder_beside(given), errors, others)
        else:
            found.append(_job_for(given, output, into))
    if output and not into:
        _check_suffix(output, found[0])
    found = with_possible_names(distinct(found), errors)
    lines = [passed_over(others)]
    if not output and (made := made_of_others(found)):
        names = listed([job.source for job in found if job in made])
        found = [job for job in found if job not in made]
        lines.append(f"left out: {names}, which this command makes of other inputs")
    _check_targets(found, overwrite)
    done = {job for job in found if os.path.exists(job.target) and not overwrite}
    jobs = [job for job in found if job not in done]
    return Plan(
        jobs,
        [job for job in found if job in done],
        errors,
        tuple(filter(None, lines)),
        () if output else tuple(conversions(jobs)),
        output or (folder_beside(inputs[0]) if len(inputs) == 1 and not single else ""),
    )


def _job_for(given: str, output: str, into: bool) -> Job:
    """The job for a file. ``into``: Whether ``output`` is a folder, if it is not empty."""
    name = os.path.basename(given)
    if not output:
        video = is_video(given)
        return Job(given, beside(given, video), name, video)
    video = is_video(given) or (not into and _becomes_a_video(given, output))
    target = in_folder(output, given, name, video) if into else pathlib.Path(output)
    return Job(given, target, name, video)


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
        with quiet_pillow(), Image.open(given, formats=("GIF", "PNG", "WEBP")) as image:
            return image.format == "GIF" or getattr(image, "n_frames", 1) > 1
    except (OSError, ValueError, SyntaxError):
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
            found.append(Job(source, in_folder(output, source, name, video), name, video))
        else:
            others.append(pathlib.Path(source))
    if not found:
        errors.append(f"{given}: holds no images ({NAMES}) and no videos.")
    return found


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
