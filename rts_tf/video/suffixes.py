"""The suffixes of video files that are read, and of those that are written. Needs no FFmpeg."""

import os
import pathlib

VIDEO_SUFFIXES = (
    ".mp4",
    ".m4v",
    ".mov",
    ".mkv",
    ".webm",
    ".avi",
    ".ts",
    ".m2ts",
    ".mts",
    ".mpg",
    ".mpeg",
    ".vob",
    ".wmv",
    ".flv",
    ".3gp",
    ".ogv",
    ".mxf",
)
# FFmpeg's names of the containers that can hold frames at any times
_CONTAINERS = {
    ".mp4": "mp4",
    ".m4v": "mp4",
    ".mov": "mov",
    ".mkv": "matroska",
    ".webm": "webm",
    ".ts": "mpegts",
}
OUTPUT_SUFFIXES = tuple(_CONTAINERS)


def container_of(path: str | os.PathLike) -> str:
    """FFmpeg's name of the container that the suffix of ``path`` stands for.

    Raises:
        KeyError: The suffix is not one of ``OUTPUT_SUFFIXES``.
    """
    return _CONTAINERS[pathlib.Path(path).suffix.lower()]
