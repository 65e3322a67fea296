"""Keep the EXIF data of an image file that still makes sense in the file that is written from it.

An EXIF block is a ``bytes`` object that begins with "Exif" and two zero bytes, as Pillow takes it.
"""

import numpy as np
from PIL import Image
from PIL.ExifTags import IFD, Base

# Tags that say how the pixels are stored in one file, and so are wrong in another one
_LAYOUT_TAGS = {
    tag
    for first, last in (
        *((254, 266), (273, 273), (277, 281), (284, 284), (290, 293), (301, 301)),
        *((317, 325), (330, 347), (512, 532)),
    )
    for tag in range(first, last + 1)
}
# XMP, IPTC, Photoshop's resources, the ICC profile (which ImageFile holds) and Photoshop's layers
_FOREIGN_TAGS = {700, 33723, 34377, 34675, 37724}
EXIF_DAMAGED = "its EXIF is damaged and was left out"


def kept_exif(exif: Image.Exif) -> tuple[bytes, str]:
    """Select the EXIF data of a decoded file that is kept with its upright pixels.

    Everything is kept but the layout of the file, the preview image, and what is kept apart from
    EXIF, such as XMP and IPTC. The orientation becomes 1 ("as it is").

    Args:
        exif: The EXIF data of the file. It is not changed, since Pillow rotates a TIFF by it while
            loading.

    Returns:
        The EXIF block, empty if nothing is left, and a warning, empty if there is none.
    """
    kept = Image.Exif()
    try:
        for tag, value in exif.items():
            if tag not in _LAYOUT_TAGS | _FOREIGN_TAGS:
                kept[tag] = value
        for tag in (IFD.Exif, IFD.GPSInfo):
            kept.pop(tag, None)
            if nested := dict(exif.get_ifd(tag)):
                if IFD.Interop in nested:
                    nested[IFD.Interop] = exif.get_ifd(IFD.Interop)
                kept[tag] = nested
        if Base.Orientation in exif:
            kept[Base.Orientation] = 1
        return (kept.tobytes() if len(kept) else b""), ""
    except Exception:  # where a value does not fit its tag, Pillow raises errors of many types
        return b"", EXIF_DAMAGED


def exif_for_size(block: bytes, width: int, height: int) -> bytes:
    """Update the size in an EXIF block to that of the pixels that are written.

    Args:
        block: The EXIF block, or empty.
        width: The width in pixels.
        height: The height in pixels.

    Returns:
        The EXIF block, or empty if ``block`` is.
    """
    if not block:
        return b""
    exif = Image.Exif()
    exif.load(block)
    nested = exif.get_ifd(IFD.Exif)
    for tag, size in ((Base.ExifImageWidth, width), (Base.ExifImageHeight, height)):
        if tag in nested:
            nested[tag] = size
    return exif.tobytes()


def upright(samples: np.ndarray, orientation: int) -> np.ndarray:
    """Undo the orientation that EXIF records (tag 0x0112).

    Args:
        samples: [H, W, C], as they are stored.
        orientation: 1 to 8; anything else is treated as 1.

    Returns:
        A view of ``samples``, [H, W, C] or, for an orientation from 5 to 8, [W, H, C].
    """
    if orientation in (5, 6, 7, 8):
        samples = samples.swapaxes(0, 1)
    if orientation in (3, 4, 7, 8):
        samples = samples[::-1]
    return samples[:, ::-1] if orientation in (2, 3, 6, 7) else samples
