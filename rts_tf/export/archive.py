"""Writes SavedModels through Keras' ExportArchive."""

import contextlib
import io
import pathlib
from typing import Any

import keras


def archive(network: keras.Model, endpoints: dict[str, Any], directory: pathlib.Path) -> None:
    """Write a SavedModel into ``directory``.

    Args:
        network: the model whose variables the endpoints use.
        endpoints: a tf.function with an input signature for each signature name.
        directory: is made.
    """
    saved = keras.export.ExportArchive()
    saved.track(network)
    for name, function in endpoints.items():
        saved.add_endpoint(name, function)
    with contextlib.redirect_stdout(io.StringIO()):  # Keras lists every variable
        saved.write_out(str(directory))
