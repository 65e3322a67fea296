"""Find the packages of the extra ``quality``, and the published parameters inside them."""

import hashlib
import importlib
import importlib.util
import pathlib
import types

from rts_tf.errors import RtsError

INSTALL = "pip install 'rts_tf[quality]'"


def package(name: str) -> types.ModuleType:
    """Import the package ``name`` of the extra ``quality``.

    Raises:
        RtsError: The package, or one that it needs, is not installed.
    """
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise RtsError(f"{name} cannot be imported ({error}); {INSTALL}") from error


def published(name: str, file: str, sha256: str) -> pathlib.Path:
    """Find a file of parameters inside a package, which is not imported.

    The digest makes sure that these are the parameters for which our code was checked, and that
    nobody has put another file in their place.

    Args:
        name: The name under which the package is imported.
        file: The path of the file inside the package.
        sha256: The digest of the file in hexadecimal digits.

    Raises:
        RtsError: The package is not installed, or the file is missing or another one.
    """
    spec = importlib.util.find_spec(name)
    if spec is None or not spec.submodule_search_locations:
        raise RtsError(f"the package {name} is not installed; {INSTALL}")
    path = pathlib.Path(spec.submodule_search_locations[0]) / file
    try:
        found = hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise RtsError(f"{path}: cannot be read ({error.strerror}); {INSTALL}") from error
    if found != sha256:
        raise RtsError(
            f"{path}: holds other parameters than those of the release that rts_tf knows; {INSTALL}"
        )
    return path
