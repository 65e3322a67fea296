"""Refuses what cannot work before anything is loaded. Messages name arguments in backticks."""

import os
import pathlib

from rts_tf import pretrained
from rts_tf.enhance import AUTO
from rts_tf.enhance.stream import PIPE
from rts_tf.errors import ConfigError
from rts_tf.storage import LONGEST_NAME
from rts_tf.video.presets import problem_with

_AUTO_CODECS = ("h264", "hevc", "vp9")  # that a video gets if the user names none


def check_files(inputs: list[str], output: str) -> None:
    """Check that there is something to read, and that what is written can have its name.

    Args:
        inputs: Files and folders.
        output: A file or a folder; empty for what is written beside the inputs.

    Raises:
        ConfigError: There is not.
    """
    if not inputs:
        raise ConfigError(
            "name images, videos or folders, for example photo.jpg, photos or 'photos/*.jpg'."
        )
    for name in pathlib.Path(output).parts:
        if (length := len(os.fsencode(name))) > LONGEST_NAME:
            raise ConfigError(
                f"`output`={output}: a name in it has {length} bytes, and file systems take"
                f" {LONGEST_NAME}; shorten it."
            )
    for path in inputs:
        if path != PIPE and not os.path.lexists(path):
            raise ConfigError(f"{path}: no such file or folder.")


def check_network(model: str, strength: float, tile: str) -> None:
    """Check what decides about the network.

    Args:
        model: ``AUTO``, the name of weights, or a path.
        strength: The share of its change.
        tile: ``AUTO`` or a number.

    Raises:
        ConfigError: One of them cannot work.
    """
    if not 0 <= strength <= 1.5:
        raise ConfigError(f"`strength`={strength:g}: must be from 0 to 1.5.")
    if tile != AUTO and not (tile.isdecimal() and 64 <= int(tile) <= 8192):
        raise ConfigError(f"`tile`={tile}: must be auto or a number from 64 to 8192.")
    known = (AUTO, *pretrained.names())
    if not os.path.exists(model) and pretrained.resolved(model) not in known:
        raise ConfigError(f"`model`={model}: no such file or directory, and {pretrained.known()}")


def check_preset(preset: str, codec: str) -> None:
    """Check the preset of an encoder.

    Args:
        preset: Empty for the default.
        codec: ``AUTO``, or a key of :data:`rts_tf.video.presets.PRESETS`.

    Raises:
        ConfigError: The encoder has no such preset.
    """
    codecs = _AUTO_CODECS if codec == AUTO else (codec,)
    if problem := problem_with(preset, *codecs):
        raise ConfigError(f"`encoder_preset`={preset}: {problem}.")


def check_page(flag: str, path: str) -> None:
    """Check the HTML file that ``flag`` names; ``path`` may be empty.

    Raises:
        ConfigError: It cannot be written, or the path is probably a mistake.
    """
    if path:
        if pathlib.Path(path).suffix.lower() not in (".html", ".htm"):
            raise ConfigError(f"`{flag}`={path}: name a file that ends in .html.")
        if not os.path.isdir(parent := os.path.dirname(path) or "."):
            raise ConfigError(f"`{flag}`={path}: there is no folder {parent}.")
