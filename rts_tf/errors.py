"""What the commands report in one line, with exit code 1, instead of a traceback."""

import unicodedata

_UNPRINTABLE = (
    "Cc",
    "Cs",
    "Zl",
    "Zp",
)  # Unicode categories: control, surrogate, line and paragraph separator


class RtsError(Exception):
    """A mistake or a state of the machine that the user can mend. The message names the file or flag and what to do."""


class ConfigError(RtsError):
    """A setting that cannot work."""


class ImageError(RtsError):
    """A picture that cannot be used. The message names the file and why."""


class VideoError(RtsError):
    """A film that cannot be used. The message names the file and why."""


class ShardError(RtsError):
    """A shard that is missing, damaged, or not of this run."""


class TrainingDiverged(RtsError):
    """The loss or a weight is no longer a finite number."""


class Interrupted(RtsError):
    """The user asked to stop; raised only where the state on disk is whole."""


def printable(text: str) -> str:
    """``text`` in one line that any terminal takes: line breaks, control characters and bytes that are not UTF-8 escaped."""
    escape = lambda c: (
        c.encode("unicode_escape").decode() if unicodedata.category(c) in _UNPRINTABLE else c
    )  # noqa: E731
    return "".join(map(escape, text))
