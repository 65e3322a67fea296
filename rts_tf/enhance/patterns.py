"""Patterns such as ``'photos/*.jpg'`` in place of files, where the shell has not expanded them."""

import glob
import os
import pathlib
from collections.abc import Sequence
from typing import NamedTuple

from rts_tf.enhance.stream import PIPE
from rts_tf.errors import ConfigError


class Expanded(NamedTuple):
    """Inputs without patterns.

    Attributes:
        inputs: Files and folders, each once.
        others: What patterns match beside images, videos and folders.
        any_pattern: Whether there was a pattern among them.
    """

    inputs: list[str]
    others: tuple[pathlib.Path, ...] = ()
    any_pattern: bool = False

    def output(self, output: str) -> str:
        """``output`` as a folder, also where a pattern happens to match a single file."""
        if self.any_pattern and output and not pathlib.Path(output).suffix:
            return os.path.join(output, "")
        return output


def expanded(inputs: Sequence[str]) -> Expanded:
    """Expand the patterns among ``inputs``.

    In a pattern, ``*``, ``?`` and ``[...]`` are those of shells, and ``**`` is any folder. Hidden
    files do not match. What exists by its literal name is that file, so ``a[1].jpg`` is no pattern
    then.

    Raises:
        ConfigError: A pattern matches nothing, or no image, video and folder.
    """
    found: dict[str, None] = {}
    others: list[pathlib.Path] = []
    any_pattern = False
    for given in inputs:
        if given == PIPE or os.path.lexists(given) or not glob.has_magic(given):
            found[given] = None
            continue
        any_pattern = True
        matches = sorted(glob.glob(given, recursive=True))
        if not matches:
            raise ConfigError(f"{given}: no file or folder has this name or matches this pattern.")
        usable = list(filter(_is_usable, matches))
        if not usable:
            raise ConfigError(
                f"{given}: of the {len(matches)} files that match, none is an image or a video."
            )
        others += map(pathlib.Path, sorted({*matches} - {*usable}))
        found |= dict.fromkeys(usable)
    return Expanded(list(found), tuple(others), any_pattern)


def _is_usable(path: str) -> bool:
    if os.path.isdir(path):
        return True
    from rts_tf.images.listing import is_image
    from rts_tf.video.suffixes import VIDEO_SUFFIXES

    suffix = pathlib.Path(path).suffix.lower()
    return suffix in VIDEO_SUFFIXES or is_image(pathlib.Path(path))
