"""Keep the decoders from writing lines of their own to standard error."""

import contextlib
import ctypes
import logging

from PIL import Image


def silence() -> None:
    """Silence libtiff, which Pillow calls, tifffile, and Pillow's reader of TIFF files.

    What they have to say becomes an ImageError. The symbols of libtiff are found through Pillow's
    extension module, which is linked with it. Where they are hidden, as in a static build, it keeps
    its handlers of errors and warnings.
    """
    for name in ("tifffile", "PIL.TiffImagePlugin"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    with contextlib.suppress(AttributeError, OSError):
        library = ctypes.CDLL(Image.core.__file__)
        for name in ("TIFFSetErrorHandler", "TIFFSetWarningHandler"):
            function = getattr(library, name)
            function.argtypes, function.restype = [ctypes.c_void_p], ctypes.c_void_p
            function(None)
