"""Reads arrays from ``.npz`` files that somebody else may have made: no pickle, bounded memory."""

import os
import zipfile

import numpy as np

from rts_tf.errors import RtsError, first_line

LARGEST = 2**30  # bytes of all arrays in a file


def read_arrays(path: str | os.PathLike) -> dict[str, np.ndarray]:
    """Return the arrays in a ``.npz`` file by name.

    Raises:
        RtsError: The file is missing or damaged, holds Python objects, or its arrays have more than
            ``LARGEST`` bytes.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            size = sum(member.file_size for member in archive.infolist())
        if size > LARGEST:
            raise ValueError(f"its arrays have {size / 1e9:.1f} GB")
        with np.load(path, allow_pickle=False) as arrays:
            found = {name: arrays[name] for name in arrays.files}
        if not all(isinstance(array, np.ndarray) for array in found.values()):
            raise ValueError("it holds something else than arrays")
        return found
    # NumPy parses the headers as Python literals, whose errors are of many types.
    except Exception as error:
        reason = getattr(error, "strerror", None) or first_line(error)
        raise RtsError(f"{os.fspath(path)}: holds no arrays that can be read ({reason})") from None
