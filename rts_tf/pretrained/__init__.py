"""Weights that come with the package: NAME.weights.h5, and NAME.json, the record of how they were trained.

The record's "network" is the name under which rts_tf.networks builds it. Weights, not ``.keras`` files, since they load on
Keras 2.15 and Keras 3 alike.
"""

from __future__ import annotations

import json
import pathlib
from typing import TYPE_CHECKING, Any

from rts_tf.errors import RtsError

if TYPE_CHECKING:
    import keras

DIRECTORY = pathlib.Path(__file__).parent


def names() -> tuple[str, ...]:
    """The weights that are there, by name."""
    return tuple(sorted(path.stem for path in DIRECTORY.glob("*.json")))


def known() -> str:
    """The names, as a part of an error message."""
    if not names():
        return "this version of rts_tf brings no weights: train a network with python -m rts_tf.main and name its directory"
    return f"not the name of weights that come with rts_tf ({', '.join(names())})"


def record(name: str) -> dict[str, Any]:
    """How the weights ``name`` were trained: "network", "stage" and more. Raises RtsError where it is missing or damaged."""
    if name not in names():
        raise RtsError(f"{name}: {known()}")
    file = DIRECTORY / f"{name}.json"
    try:
        return json.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:
        raise RtsError(f"{file}: is damaged ({error}); install rts_tf again") from None


def network(name: str, precision: str = "float32") -> keras.Model:
    """The network of ``name`` with its weights, computing in ``precision``. Raises RtsError."""
    from rts_tf import networks  # TensorFlow is imported only when it is needed

    kind = record(name).get("network")
    file = DIRECTORY / f"{name}.weights.h5"
    try:
        built = networks.build(kind, precision=precision)
        built.load_weights(file)
    except Exception as error:  # Keras raises many types on a file that is not whole
        reason = (str(error).splitlines() or [type(error).__name__])[0][:200]
        raise RtsError(f"{file}: cannot be loaded ({reason}); install rts_tf again") from None
    return built
