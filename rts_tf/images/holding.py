"""What each format can hold: convert what belongs to an image, or leave it out with a note."""

import numpy as np
from PIL import Image
from PIL.ExifTags import Base

from rts_tf.errors import ImageError
from rts_tf.images import icc as profiles
from rts_tf.images import xmp as packets
from rts_tf.images.dtypes import halve_bits
from rts_tf.images.exif import exif_for_size
from rts_tf.images.image_file import ImageFile
from rts_tf.images.jpeg_segments import LONGEST, XMP
from rts_tf.images.png_chunks import keyword_of, text_of
from rts_tf.images.png_colour import profile_for

_LONGEST_SIDE = {"JPEG": 65500, "WEBP": 16383, "AVIF": 32768}  # pixels
_MOST_BYTES_OF_TIFF = 2**32 - 2**24  # of pixels
_LONGEST_PROFILE = 255 * 65519  # bytes in a JPEG, which has at most 255 segments for it
_DENSITY = range(1, 65536)  # pixels per inch in a JPEG
_NAMES = {"WEBP": "WebP"}  # of formats, where they are not those of Pillow
_COMMENT = "Comment"  # the keyword of a PNG text that is a comment in JPEG


def check_format(kind: str, image: ImageFile, scale: int = 1) -> None:
    """Check that a format has room for an image before anything is computed.

    Args:
        kind: The format.
        image: The image before it is enhanced.
        scale: By how much the result is larger.

    Raises:
        ImageError: The format cannot hold transparency or an image of this size.
    """
    height, width = (scale * side for side in image.pixels.shape[:2])
    alpha = image.alpha
    transparent = alpha is not None and bool((alpha < np.iinfo(alpha.dtype).max).any())
    if transparent and kind in ("JPEG", "BMP"):
        raise ImageError(f"is transparent in places, which {kind} cannot hold; name a .png")
    if kind == "WEBP" and image.pixels.shape[2] == 1 and profiles.space_of(image.icc) == "GRAY":
        raise ImageError("is grey with a profile for grey, which WebP cannot hold; name a .png")
    if max(height, width) > (longest := _LONGEST_SIDE.get(kind, max(height, width))):
        name = _NAMES.get(kind, kind)
        raise ImageError(
            f"{width}x{height} is more than the {longest} pixels a side of {name}; name a .png"
        )
    samples = image.pixels.shape[2] + (alpha is not None)
    if kind == "TIFF" and height * width * samples * image.pixels.itemsize > _MOST_BYTES_OF_TIFF:
        raise ImageError(f"{width}x{height} is more than the 4 GB of a TIFF; name a .png")


def held(kind: str, image: ImageFile) -> tuple[ImageFile, list[str]]:
    """The image in a form that a format can hold, and notes about what it cannot.

    Args:
        kind: The format, one for which :func:`check_format` raises no error.
        image: The image to write.
    """
    notes: list[str] = []
    name = _NAMES.get(kind, kind)
    if kind in ("JPEG", "BMP"):
        image = image._replace(alpha=None)
    if kind not in ("PNG", "TIFF") and image.pixels.dtype == np.uint16:
        alpha = None if image.alpha is None else halve_bits(image.alpha)
        image = image._replace(pixels=halve_bits(image.pixels), alpha=alpha)
        notes.append(f"its 16 bits per sample became 8, the most that {name} holds")
    height, width = image.pixels.shape[:2]
    xmp = packets.for_size(image.metadata.xmp, width, height)
    image = image._replace(
        exif=exif_for_size(image.exif, width, height),
        metadata=image.metadata._replace(xmp=xmp),
    )
    lost: list[str] = []
    for part in (_colour, _exif, _dpi, _xmp, _iptc, _texts):
        image = part(kind, image, lost)
    if lost:
        notes.append(f"{name} has no room for these, which were left out: {', '.join(lost)}")
    if kind in ("WEBP", "AVIF") and image.dpi and not _has_resolution(image.exif):
        image = image._replace(exif=_with_resolution(image.exif, image.dpi))
        notes.append(
            f"its resolution of {_dpi_text(image)} is now in the EXIF, its place in {name}"
        )
    return image, notes


def _dpi_text(image: ImageFile) -> str:
    x, y = image.dpi or (0, 0)
    return f"{x:g} dpi" if x == y else f"{x:g} x {y:g} dpi"


def _colour(kind: str, image: ImageFile, lost: list[str]) -> ImageFile:
    """ICC profile, and the chunks that describe the colours of a PNG."""
    if kind == "PNG":
        return image
    icc, metadata = image.icc, image.metadata
    if kind == "BMP":
        lost += ["ICC profile"] if icc else []
        lost += [name.decode() for name, _ in metadata.colour if name != b"sRGB"]
        icc = b""
    elif metadata.colour:
        channels = 3 if kind == "WEBP" else image.pixels.shape[2]
        icc, without = profile_for(metadata.colour, icc, channels)
        lost += without
    if kind == "JPEG" and len(icc) > _LONGEST_PROFILE:
        lost.append(f"ICC profile of {_size(icc)}")
        icc = b""
    return image._replace(icc=icc, metadata=metadata._replace(colour=()))


def _exif(kind: str, image: ImageFile, lost: list[str]) -> ImageFile:
    if kind == "BMP" and image.exif:
        lost.append("EXIF")
        return image._replace(exif=b"")
    if kind == "JPEG" and len(image.exif) > LONGEST:
        lost.append(f"EXIF of {_size(image.exif)}")
        return image._replace(exif=b"")
    return image


def _dpi(kind: str, image: ImageFile, lost: list[str]) -> ImageFile:
    if kind == "JPEG" and image.dpi and not all(round(x) in _DENSITY for x in image.dpi):
        lost.append(f"resolution of {_dpi_text(image)}")
        return image._replace(dpi=None)
    return image


def _xmp(kind: str, image: ImageFile, lost: list[str]) -> ImageFile:
    metadata = image.metadata
    if metadata.xmp and (kind == "BMP" or (kind == "JPEG" and len(XMP + metadata.xmp) > LONGEST)):
        lost.append("XMP" if kind == "BMP" else f"XMP of {_size(metadata.xmp)}")
        metadata = metadata._replace(xmp=b"", extended_xmp=())
    elif metadata.extended_xmp and kind != "JPEG":
        lost.append("the part of the XMP beyond 64 kB")
        metadata = metadata._replace(extended_xmp=())
    return image._replace(metadata=metadata)


def _iptc(kind: str, image: ImageFile, lost: list[str]) -> ImageFile:
    metadata = image.metadata
    if kind in ("JPEG", "TIFF"):
        return image
    lost += ["IPTC"] if metadata.iptc else []
    lost += ["Photoshop's image resources"] if metadata.resources else []
    return image._replace(metadata=metadata._replace(iptc=b"", resources=b""))


def _texts(kind: str, image: ImageFile, lost: list[str]) -> ImageFile:
    """Comments and PNG texts. A comment in JPEG is the text "Comment" in PNG."""
    metadata = image.metadata
    comments, chunks = list(metadata.comments), list(metadata.chunks)
    if kind == "PNG":
        for comment in comments:
            chunks.append(_comment_chunk(comment))
        comments = []
    else:
        for of_chunk, contents in chunks:
            text = of_chunk in (b"tEXt", b"zTXt", b"iTXt")
            if text and kind == "JPEG" and keyword_of(contents) == _COMMENT:
                comments.append(_comment_of(of_chunk, contents))
            elif text:
                lost.append(f"text {keyword_of(contents)!r}")
            else:
                lost.append(f"PNG chunk {of_chunk.decode('latin-1')}")
        chunks = []
    long = [len(comment) > LONGEST for comment in comments]
    if comments and (kind != "JPEG" or any(long)):
        lost.append("comment")
        comments = [c for c, too in zip(comments, long) if kind == "JPEG" and not too]
    return image._replace(
        metadata=metadata._replace(comments=tuple(comments), chunks=tuple(chunks))
    )


def _comment_chunk(comment: bytes) -> tuple[bytes, bytes]:
    """A PNG text of a comment, which may be in UTF-8 or in any other encoding."""
    text = comment.rstrip(b"\0").replace(b"\0", b" ")
    try:
        text.decode("ascii")
    except UnicodeDecodeError:
        try:
            text.decode("utf-8")
        except UnicodeDecodeError:
            return b"tEXt", _COMMENT.encode() + b"\0" + text  # Latin-1 by definition
        return b"iTXt", _COMMENT.encode() + bytes(5) + text
    return b"tEXt", _COMMENT.encode() + b"\0" + text


def _comment_of(kind: bytes, contents: bytes) -> bytes:
    """The text of a PNG chunk in UTF-8."""
    text = text_of(kind, contents)
    return text if kind == b"iTXt" else text.decode("latin-1").encode()


def _has_resolution(block: bytes) -> bool:
    """Whether an EXIF block has a resolution."""
    exif = Image.Exif()
    exif.load(block)
    return Base.XResolution in exif and Base.YResolution in exif


def _with_resolution(block: bytes, dpi: tuple[float, float]) -> bytes:
    exif = Image.Exif()
    exif.load(block)
    exif[Base.XResolution], exif[Base.YResolution] = dpi
    exif[Base.ResolutionUnit] = 2  # inches
    return exif.tobytes()


def _size(contents: bytes) -> str:
    return f"{len(contents) / 1000:.0f} kB"
