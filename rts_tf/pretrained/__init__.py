"""Finds and loads the trained weights that come with the package.

Weights are a file NAME.weights.h5, with the record of their training in NAME.json. The "network" of
the record is the name under which rts_tf.networks builds it. They are no ``.keras`` files, since
files of weights load on both Keras 2.15 and Keras 3. A network for luma has NAME.tflite beside
them, which LiteRT runs in integers.
"""

from __future__ import annotations

import json
import pathlib
from typing import TYPE_CHECKING, Any

from rts_tf.errors import RtsError, first_line

if TYPE_CHECKING:
    import keras

DIRECTORY = pathlib.Path(__file__).parent
# Names that stand for others: "fast" is the best network for luma that takes at most 16.7 ms for a
# 1080p frame on one core of the reference machine (docs/realtime.md).
ALIASES = {"fast": "luma-large"}


def names() -> tuple[str, ...]:
    """Return the names of the weights, sorted."""
    return tuple(sorted(path.stem for path in DIRECTORY.glob("*.json")))


def resolved(name: str) -> str:
    """Return the name of the weights that ``name`` stands for: an alias, or itself."""
    return ALIASES.get(name, name)


def known() -> str:
    """Return the names as part of an error message."""
    if not names():
        return (
            "this version of rts_tf brings no weights: train a network with rts train and name its"
            " directory"
        )
    return f"not the name of weights that come with rts_tf ({', '.join(names())})"


def record(name: str) -> dict[str, Any]:
    """Return how the weights ``name`` were trained: "network", "stage" and more.

    Raises:
        RtsError: There are no such weights, or the record is damaged.
    """
    name = resolved(name)
    if name not in names():
        raise RtsError(f"{name}: {known()}")
    file = DIRECTORY / f"{name}.json"
    try:
        return json.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:
        raise RtsError(f"{file}: is damaged ({error}); install rts_tf again") from None


def network(name: str, precision: str = "float32") -> keras.Model:
    """Return the network ``name`` with its weights.

    Args:
        name: One of ``names()``.
        precision: "float32" or "mixed_bfloat16", see :func:`rts_tf.networks.build`.

    Raises:
        RtsError: There are no such weights, or a file is damaged.
    """
    # They import TensorFlow, which ``names`` does not need.
    from rts_tf import networks
    from rts_tf.pretrained import keras_file

    name = resolved(name)
    file = DIRECTORY / f"{name}.weights.h5"
    made = record(name)
    try:
        built = networks.build(made["network"], precision=precision)
        keras_file.load_weights(built, file)
    except Exception as error:  # Keras raises many types on a file that is not whole
        raise RtsError(
            f"{file}: cannot be loaded ({first_line(error)}); install rts_tf again"
        ) from None
    return built


def integer_file(name: str) -> bytes | None:
    """Return the TFLite file of the weights ``name`` in 8-bit integers, for frames of any size.

    Only networks for luma have one; None for others.
    """
    file = DIRECTORY / f"{resolved(name)}.tflite"
    return file.read_bytes() if file.exists() else None
