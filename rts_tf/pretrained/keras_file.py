"""Loads ``.keras`` files and files of weights that somebody else may have made.

Such a file names the classes that are to be made, and Keras has run code for it more than once: a
Lambda layer, a class of any module, a function of Keras that downloads. Keras' safe mode forbids
what was known when the version was released. So the files are compared with a list here first, and
nothing in them is looked up that is neither on the list nor registered by somebody who imported it.
What is read, built and decompressed has limits.
"""

import contextlib
import json
import math
import os
import pathlib
import threading
import zipfile
from collections.abc import Iterator
from typing import Any, BinaryIO

import h5py
import keras

from rts_tf.errors import RtsError
from rts_tf.networks.geometry import CONVOLUTIONS, POINTWISE

_CONFIG, _WEIGHTS = "config.json", "model.weights.h5"
_MEMBERS = {_CONFIG: 2**21, "metadata.json": 2**16, _WEIGHTS: 2**31}  # and their most bytes
_SUFFIXES = (".keras", ".weights.h5")
_DEEPEST = 100  # levels of JSON
_RATIO = 200  # of what a file becomes; Keras does not compress at all
_SPARE = 2**20  # bytes of weights that a network may have beyond those of its file
# The most that these may be in a layer: a network for images has hundreds of channels at most
_MOST = {
    **dict.fromkeys(("filters", "units", "inputs", "depth_multiplier", "groups"), 2048),
    **dict.fromkeys(("kernel_size", "size", "dilation_rate", "strides"), 2048),
    **dict.fromkeys(("pack", "scale"), 16),
}
_LAYERS = {layer.__name__ for layer in (*CONVOLUTIONS, *POINTWISE)}
# Layers that are refused later, with the reason that tiles would not be exact
_LAYERS |= {"UpSampling2D", "Conv2DTranspose", "ZeroPadding2D", "MaxPooling2D", "AveragePooling2D"}
_LAYERS |= {"Dense", "Reshape", "Permute", "Rescaling", "LayerNormalization", "Softmax"}
_MODELS = {"Functional", "Sequential", "Model"}
_POLICIES = {"DTypePolicy", "FloatDTypePolicy", "Policy"}
_VALUES = {"__keras_tensor__", "__tuple__", "__numpy__", "__tensor__", "__ellipsis__", "__slice__"}
_adding = threading.Lock()


def load_keras_file(path: str | os.PathLike) -> keras.Model:
    """Load the network in a ``.keras`` file, for inference.

    Raises:
        RtsError: The file would run code, or is beyond a limit. The message is the reason alone.
        Exception: Keras raises errors of many types on a file that is not its own.
    """
    path = pathlib.Path(path)
    if path.suffix != ".keras":
        # Keras goes by the name, and would read formats that have no safe mode.
        raise RtsError("the name of such a file ends in .keras")
    with zipfile.ZipFile(path) as archive:
        _check_members(archive)
        config = _config(archive)
        _check_classes(config)
        with archive.open(_WEIGHTS) as file:
            size = _check_weights(file, archive.getinfo(_WEIGHTS).file_size)
    with _at_most(size + _SPARE):
        return keras.models.load_model(path, compile=False, safe_mode=True)


def config_of(path: str | os.PathLike) -> dict[str, Any]:
    """The description of the network in a ``.keras`` file.

    Raises:
        RtsError, OSError, ValueError, KeyError, zipfile.BadZipFile: There is none.
    """
    with zipfile.ZipFile(path) as archive:
        _check_members(archive)
        return _config(archive)


def load_weights(network: keras.Model, path: str | os.PathLike) -> None:
    """Load a ``.weights.h5`` file into ``network``.

    Raises:
        RtsError: The file refers to other files, or is beyond a limit. The message is the reason.
        Exception: Keras raises errors of many types on a file that does not fit.
    """
    with open(path, "rb") as file:
        _check_weights(file, os.path.getsize(path))
    network.load_weights(path)


def _check_members(archive: zipfile.ZipFile) -> None:
    names = archive.namelist()
    if len(names) > len(_MEMBERS) or len(set(names)) < len(names) or set(names) - set(_MEMBERS):
        raise RtsError(f"it holds {len(names)} files, not only {', '.join(_MEMBERS)}")
    for member in archive.infolist():
        if member.file_size > _MEMBERS[member.filename]:
            raise RtsError(f"its {member.filename} has {member.file_size / 1e6:.0f} MB")
        if member.file_size > _RATIO * member.compress_size + _SPARE:
            raise RtsError(f"its {member.filename} is a decompression bomb")


def _config(archive: zipfile.ZipFile) -> dict[str, Any]:
    try:
        config = json.loads(archive.read(_CONFIG))
    except RecursionError:
        raise RtsError(f"its {_CONFIG} nests too deep") from None
    if not isinstance(config, dict):
        raise RtsError(f"its {_CONFIG} is no description of a network")
    return config


def _check_classes(config: dict[str, Any]) -> None:
    """Check every class, function and number that a description names."""
    # Loading leaves out how the network was compiled.
    top = {key: value for key, value in config.items() if key != "compile_config"}
    left: list[tuple[Any, str, int]] = [(top, "", 0)]
    while left:
        value, key, depth = left.pop()
        if depth > _DEEPEST:
            raise RtsError(f"its {_CONFIG} nests too deep")
        if isinstance(value, dict):
            if "class_name" in value:
                _check_class(value)
            left += [(item, str(name), depth + 1) for name, item in value.items()]
        elif isinstance(value, list):
            left += [(item, key, depth + 1) for item in value]
        elif isinstance(value, int | float) and key in _MOST and not -1 <= value <= _MOST[key]:
            raise RtsError(f"it has a layer with {key}={value:.9g}, beyond {_MOST[key]}")


def _check_class(described: dict[str, Any]) -> None:
    """Check that a class is on the list, or registered in this process."""
    name, module = described["class_name"], described.get("module")
    registered = described.get("registered_name")
    if isinstance(name, str) and name in _VALUES:
        return
    if name == "function":
        function = described.get("config")
        if isinstance(function, str) and hasattr(keras.activations, function):
            return
        raise RtsError(f"it names the function {str(function)[:100]!r}, which is no activation")
    if isinstance(registered, str) and ">" in registered:
        found = keras.saving.get_registered_object(registered)
        if isinstance(found, type) and found.__name__ == name:
            return
        raise RtsError(
            f"it names the class {registered[:100]!r}, which this process has not registered;"
            " import the module that does so first, if you trust it"
        )
    if isinstance(name, str) and isinstance(module, str | None) and _is_listed(name, module):
        return
    raise RtsError(
        f"it names the class {str(name)[:100]!r} of {str(module)[:100]!r}, which no network for"
        " images needs; a class of your own must be registered with"
        " keras.saving.register_keras_serializable and a package name"
    )


def _is_listed(name: str, module: str | None) -> bool:
    if module is not None and module != "keras" and not module.startswith("keras."):
        return False
    kinds = keras.initializers, keras.regularizers, keras.constraints
    bases = (
        *(keras.initializers.Initializer, keras.regularizers.Regularizer),
        keras.constraints.Constraint,
    )
    found = next((vars(kind).get(name) for kind in kinds if name in vars(kind)), None)
    return name in _LAYERS | _MODELS | _POLICIES or (
        isinstance(found, type) and issubclass(found, bases)
    )


def _check_weights(file: BinaryIO | Any, size: int) -> int:
    """Check what a file of weights announces, and return how many bytes of weights it has.

    HDF5 can refer to other files, and a few bytes can announce an array of any size.
    """
    names: list[str | bytes] = []
    found = 0
    with h5py.File(file, "r") as weights:
        weights.visit_links(names.append)  # h5py cannot pass on what is raised within
        for name in names:
            link = weights.get(name, getlink=True)
            if isinstance(link, h5py.ExternalLink | h5py.SoftLink):
                raise RtsError("its weights refer to other files or places")
            item = weights[name]
            if isinstance(item, h5py.Dataset):
                if item.dtype.hasobject or item.external or item.is_virtual:
                    raise RtsError("its weights refer to other files, or are no numbers")
                found += math.prod(item.shape) * item.dtype.itemsize
    if found > size:
        raise RtsError(f"its weights announce {found / 1e6:.0f} MB, which it does not have")
    return found


@contextlib.contextmanager
def _at_most(room: int) -> Iterator[None]:
    """Let layers make no more than ``room`` bytes of weights while the block runs.

    A description of a hundred bytes can ask for any number of them.
    """
    own, left = keras.layers.Layer.add_weight, room

    def add_weight(self: keras.layers.Layer, *arguments: Any, **settings: Any) -> Any:
        nonlocal left
        names = [name for name in arguments if isinstance(name, tuple | list)]
        shape = settings.get("shape") or (names[0] if names else ())
        left -= 4 * math.prod(int(side) for side in shape)
        if left < 0:
            raise RtsError("its layers have more weights than it holds")
        return own(self, *arguments, **settings)

    with _adding:
        keras.layers.Layer.add_weight = add_weight
        try:
            yield
        finally:
            keras.layers.Layer.add_weight = own
