"""SavedModels written through Keras' ExportArchive."""

import contextlib
import io
import pathlib

import keras


def archive(network: keras.Model, endpoints: dict, directory: pathlib.Path) -> None:
    """Write ``endpoints`` (name to tf.function), which use ``network``, as a SavedModel."""
    saved = keras.export.ExportArchive()
    saved.track(network)
    for name, function in endpoints.items():
        saved.add_endpoint(name, function)
    with contextlib.redirect_stdout(io.StringIO()):  # Keras lists every variable
        saved.write_out(str(directory))
