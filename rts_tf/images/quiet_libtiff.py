"""Keep libtiff, which Pillow calls, from writing lines of its own to standard error."""

import contextlib
import ctypes

from PIL import Image


def silence() -> None:
    """Take away libtiff's handlers of errors and warnings. Pillow raises its own errors.

    The symbols are found through Pillow's extension module, which is linked with libtiff. Where
    they are hidden, as in a static build, libtiff keeps its handlers.
    """
    with contextlib.suppress(AttributeError, OSError):
        library = ctypes.CDLL(Image.core.__file__)
        for name in ("TIFFSetErrorHandler", "TIFFSetWarningHandler"):
            function = getattr(library, name)
            function.argtypes, function.restype = [ctypes.c_void_p], ctypes.c_void_p
            function(None)
