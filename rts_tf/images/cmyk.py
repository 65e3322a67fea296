"""Convert what is not RGB or grey, such as CMYK, to RGB: the network knows nothing else."""

import io

import numpy as np
from PIL import Image, ImageCms

from rts_tf.images import icc as profiles


def to_rgb(image: Image.Image, icc: bytes) -> tuple[np.ndarray, bytes, str]:
    """Convert an image in CMYK, Lab or YCbCr.

    CMYK with a profile is converted by it, relative to white and with black point compensation.
    Without one, the inks are taken for ideal, R = (1 - C)(1 - K), as most programs do, TensorFlow's
    JPEG decoder among them.

    Args:
        image: A loaded image of mode CMYK, LAB or YCbCr.
        icc: Its ICC profile, or empty.

    Returns:
        The pixels, uint8 [H, W, 3], their profile, and a note, empty if there is nothing to say.
    """
    if image.mode == "YCbCr":  # the same colours in other coordinates
        return np.asarray(image.convert("RGB")), icc, ""
    target = ImageCms.createProfile("sRGB")
    if image.mode == "LAB":
        source = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB"))
        note = "its Lab colours became sRGB"
    elif icc and profiles.space_of(icc) == "CMYK":
        source = ImageCms.ImageCmsProfile(io.BytesIO(icc))
        note = "its CMYK colours became sRGB, by its profile"
    else:
        reason = "its profile is not for CMYK" if icc else "it has no profile"
        note = f"its CMYK colours became RGB as those of ideal inks, since {reason}"
        return np.asarray(image.convert("RGB")), b"", note
    transform = ImageCms.buildTransform(
        source,
        target,
        image.mode,
        "RGB",
        ImageCms.Intent.RELATIVE_COLORIMETRIC,
        ImageCms.Flags.BLACKPOINTCOMPENSATION,
    )
    converted = ImageCms.applyTransform(image, transform)
    return np.asarray(converted), profiles.srgb(), note
