"""Open image files with Pillow, and refuse those that cannot be decoded as they look."""

import contextlib
import os
import warnings
from collections.abc import Iterator
from typing import BinaryIO

from PIL import Image, UnidentifiedImageError
from PIL.ExifTags import Base
from PIL.TiffImagePlugin import TiffImageFile

from rts_tf.errors import ImageError, first_line
from rts_tf.images.formats import FORMATS, kind_of_file, refusal

ODD_16_BITS = (
    "is of 16 bits in a way that is not supported; convert it to 8 bits, or save it as PNG"
)
_MODES = ("1", "L", "LA", "P", "PA", "RGB", "RGBA", "I;16", "I;16B", "I;16L", "I")
_SUBFILE_TYPE, _DNG_VERSION = 254, 50706  # TIFF tags; 1 is an image that is not of full size
_ODD_GREY = (
    "is a grey TIFF, but not of 16 bits from black at 0 to white; convert it to 8 bits first"
)


@contextlib.contextmanager
def opened(
    file: str | os.PathLike | BinaryIO, name: str = "", largest: int = 0
) -> Iterator[Image.Image]:
    """Open an image with Pillow and check that it is of a kind that this package can use.

    Args:
        file: A path, or a file that is open for reading in binary mode.
        name: What error messages call the file; by default the path.
        largest: The limit on the number of pixels, in place of Pillow's own limit against
            decompression bombs. Pillow's limit is a global variable, so only one thread at a time
            may set another one.

    Yields:
        The image. Its pixels are not decoded yet.

    Raises:
        ImageError: The file cannot be used, or the body of the ``with`` statement failed, whatever
            it raised. The message starts with ``name`` and gives the reason.
    """
    path = file if isinstance(file, str | os.PathLike) else None
    name = name or ("the file" if path is None else os.fspath(path))
    default_limit = Image.MAX_IMAGE_PIXELS
    try:
        if largest:
            Image.MAX_IMAGE_PIXELS = largest
        with warnings.catch_warnings(), contextlib.ExitStack() as stack:
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            warnings.filterwarnings("ignore", message="(?!.*bomb)")
            # Pillow gets an open file instead of a path, since it decodes some rotated TIFFs (RGBA
            # in one strip) wrongly when it maps them into memory.
            if isinstance(file, str | os.PathLike):
                file = stack.enter_context(open(file, "rb"))
            with Image.open(file, formats=FORMATS) as image:
                _check_kind(image)
                yield image
    except ImageError as error:
        raise ImageError(f"{name}: {error}") from None
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        millions = f"{(largest or default_limit or 0) / 1e6:.0f} million pixels"
        raise ImageError(f"{name}: has more than {millions}; cut or scale it down first") from None
    except UnidentifiedImageError:
        empty = path is not None and not os.path.getsize(path)
        kind = "" if path is None else kind_of_file(path)
        raise ImageError(f"{name}: {'is empty' if empty else refusal(kind)}") from None
    except Exception as error:  # Pillow's decoders raise errors of many types on damaged files
        reason = getattr(error, "strerror", None) or first_line(error)
        if isinstance(error, RuntimeError) and path and kind_of_file(path) == "JXL":
            reason = "it is damaged"  # its decoder advises to build another decoder
        raise ImageError(f"{name}: cannot be read ({reason})") from None
    finally:
        Image.MAX_IMAGE_PIXELS = default_limit


def _check_kind(image: Image.Image) -> None:
    """Raise ImageError for kinds of images that would not be decoded as they look."""
    frames = getattr(image, "n_frames", 1)
    if frames > 1 and image.format != "MPO":
        raise ImageError(
            f"holds {frames} images (animated or multi-page); save the one you want alone"
        )
    if image.mode not in _MODES:
        raise ImageError(f"colour mode {image.mode} is not supported; convert it to RGB first")
    if not isinstance(image, TiffImageFile):
        return
    tags = image.tag_v2
    if tags.get(_SUBFILE_TYPE, 0) & 1 or _DNG_VERSION in tags:
        raise ImageError("is a raw file of a camera, which holds a preview; develop it first")
    bits = tags.get(Base.BitsPerSample, (1,))
    if image.mode.startswith("I"):
        # Pillow neither scales 12 and 32 bits nor inverts 16 bits with white at 0
        sample_format = tags.get(Base.SampleFormat, (1,))
        if (bits, sample_format, tags.get(Base.PhotometricInterpretation)) != ((16,), (1,), 1):
            raise ImageError(_ODD_GREY)
    if tags.get(Base.PlanarConfiguration) == 2 and 16 in bits:
        raise ImageError(ODD_16_BITS)  # Pillow decodes separate colour planes to noise
