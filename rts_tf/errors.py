"""The errors that commands report in one line, with exit code 1, instead of a traceback."""

import unicodedata

# Unicode categories: control characters, surrogates, line and paragraph separators
_UNPRINTABLE = ("Cc", "Cs", "Zl", "Zp")
# They make a terminal or a page show what follows in another order: gnp.exe as exe.png
_REORDERING = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"


class RtsError(Exception):
    """A mistake, or a state of the machine, that the user can correct.

    The message names the file or argument and says what to do. Arguments stand in backticks, e.g.
    "`stages`=0: must be from 1 to 100"; commands show them as flags.
    """


class ConfigError(RtsError):
    """A setting that cannot work."""


class ImageError(RtsError):
    """An image that cannot be used. The message names the file and the reason."""


class VideoError(RtsError):
    """A video that cannot be used. The message names the file and the reason."""


class ShardError(RtsError):
    """A shard that is missing, damaged, or not of this run."""


class TrainingDiverged(RtsError):
    """The loss or a weight is no longer a finite number."""


class WorkerError(RtsError):
    """Another worker of the training stopped, or was lost."""


class Interrupted(RtsError):
    """The user asked to stop. It is raised only where the state on disk is whole."""


def printable(text: str) -> str:
    """Return ``text`` as one line that any terminal can show.

    Line breaks, control characters, those that change the order in which text is shown, and bytes
    that are not UTF-8 are escaped.
    """
    return "".join(
        character.encode("unicode_escape").decode()
        if character in _REORDERING or unicodedata.category(character) in _UNPRINTABLE
        else character
        for character in text
    )


def first_line(error: BaseException) -> str:
    """Return the first 200 characters of an error's first line, or its type if it says nothing."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
