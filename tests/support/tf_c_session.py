"""TensorFlow's C API, as far as it takes to run one tensor through a SavedModel.

Its loader and session are those of the C++ server. The session in Python cannot tell what happens
with wrong types, since it converts its inputs to the type that is wanted.
"""

import ctypes
import importlib.util
import pathlib

import numpy as np

_POINTER = ctypes.c_void_p


class _Output(ctypes.Structure):
    _fields_ = [("operation", _POINTER), ("index", ctypes.c_int)]


def library() -> ctypes.CDLL | None:
    """Load the library; None if the package has none (it has one on Linux)."""
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
        """Feed one tensor and fetch another.

        Args:
            given: the name of the tensor to feed.
            wanted: the name of the tensor to fetch.
            value: the array to feed.
            dtype: its DataType by number.

        Returns:
            The code and the message of the status.
        """
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
        """The code and the message of the last call."""
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
