"""TensorFlow's C API, as far as to run one tensor through a SavedModel: the loader and session of the C++ server itself.

The Python session cannot be asked about types: it turns what it is given into the type that is wanted.
"""

import ctypes
import importlib.util
import pathlib

import numpy as np

_POINTER = ctypes.c_void_p


class _Output(ctypes.Structure):
    _fields_ = [("operation", _POINTER), ("index", ctypes.c_int)]


def library() -> ctypes.CDLL | None:
    """None where the package has no such library (it has one on Linux)."""
    folder = pathlib.Path(importlib.util.find_spec("tensorflow").submodule_search_locations[0])
    try:
        ctypes.CDLL(str(folder / "libtensorflow_framework.so.2"), ctypes.RTLD_GLOBAL)
        return ctypes.CDLL(str(folder / "libtensorflow_cc.so.2"), ctypes.RTLD_GLOBAL)
    except OSError:
        return None


class CSession:
    """A SavedModel loaded for serving."""

    def __init__(self, directory: str):
        self._library = library()
        self._status, self._graph = self._call("TF_NewStatus"), self._call("TF_NewGraph")
        options, tags = self._call("TF_NewSessionOptions"), (ctypes.c_char_p * 1)(b"serve")
        self._session = self._call(
            "TF_LoadSessionFromSavedModel",
            options,
            None,
            directory.encode(),
            tags,
            1,
            self._graph,
            None,
            self._status,
        )
        assert self.status() == (0, ""), self.status()

    def run(self, given: str, wanted: str, value: np.ndarray, dtype: int) -> tuple[int, str]:
        """Feed ``value``, a DataType by number, to the tensor ``given`` and fetch ``wanted``: code and message."""
        dimensions = (ctypes.c_int64 * value.ndim)(*value.shape)
        tensor = self._call(
            "TF_AllocateTensor", dtype, dimensions, value.ndim, ctypes.c_size_t(value.nbytes)
        )
        ctypes.memmove(self._call("TF_TensorData", tensor), value.tobytes(), value.nbytes)
        inputs, outputs, results = self._output(given), self._output(wanted), (_POINTER * 1)()
        self._call(
            "TF_SessionRun",
            self._session,
            None,
            ctypes.byref(inputs),
            ctypes.byref(tensor),
            1,
            ctypes.byref(outputs),
            results,
            1,
            None,
            0,
            None,
            self._status,
        )
        return self.status()

    def status(self) -> tuple[int, str]:
        message = self._library.TF_Message
        message.restype = ctypes.c_char_p
        return self._library.TF_GetCode(self._status), message(self._status).decode()

    def _output(self, name: str) -> _Output:
        operation, index = name.split(":")
        return _Output(
            self._call("TF_GraphOperationByName", self._graph, operation.encode()), int(index)
        )

    def _call(self, name: str, *arguments) -> _POINTER:
        function = getattr(self._library, name)
        function.restype = _POINTER
        return _POINTER(function(*arguments))
