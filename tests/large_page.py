"""Let the page enhance a JPEG of many megapixels, and compare the file that it offers with Keras.

The command is ``python -m tests.large_page --megapixels=12``. The JPEG lies on its side and has a
colour profile. The result must have that profile, be upright, and show what the network makes of
the image, up to what JPEG loses. Without a graphics card this takes minutes.
"""

import argparse
import io
import pathlib
import sys
import tempfile
import time

import numpy as np
from PIL import Image
from PIL.ExifTags import Base
from skimage import data

from rts_tf.export.runners import chromium
from rts_tf.export.runners.browser import enhanced
from tests.support.image_files import ORIENTED, PROFILE, exif
from tests.support.pages import expected, file_of, notes, page_of_both

ON_ITS_SIDE = 6
LEAST = 38  # dB, of one JPEG of quality 95 with reduced chroma against samples


def main() -> int:
    """Run it; returns the exit code."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--megapixels", type=float, default=12)
    height = round((parser.parse_args().megapixels * 1e6 * 3 / 4) ** 0.5)
    width = round(height * 4 / 3)
    tile = np.concatenate([data.astronaut(), np.rot90(data.astronaut())])
    repeats = -(-height // tile.shape[0]), -(-width // tile.shape[1]), 1
    image = np.tile(tile, repeats)[:height, :width]
    contents = file_of(
        image, "JPEG", quality=95, icc_profile=PROFILE, exif=exif(ON_ITS_SIDE, "somebody")
    )
    stored = np.asarray(Image.open(io.BytesIO(contents)))
    with tempfile.TemporaryDirectory() as folder:
        page = pathlib.Path(folder) / "page.html"
        page.write_text(page_of_both(), encoding="utf-8")
        with chromium.browser(page.with_name("profile")) as tab:
            tab.open(page)
            began = time.monotonic()
            made = Image.open(io.BytesIO(enhanced(tab, contents, format="image/jpeg", network=0)))
            seconds = time.monotonic() - began
            said = notes(tab)
    reference = expected(0, np.ascontiguousarray(ORIENTED[ON_ITS_SIDE](stored)))
    error = np.square(np.asarray(made, np.float32) - reference).mean()
    decibels = 10 * np.log10(255**2 / error)
    print(f"{width} x {height} pixels, {len(contents) / 1e6:.1f} MB: {seconds:.0f} s")
    print(f"{made.size[0]} x {made.size[1]} pixels came out, {decibels:.1f} dB from the network")
    print(*said, sep="\n")
    right = {
        "the profile": made.info["icc_profile"] == PROFILE,
        "the orientation": made.getexif().get(Base.Orientation, 1) == 1,
        "EXIF": made.getexif()[Base.Artist] == "somebody",
        "the size": made.size == (height, width),
        "the pixels": decibels >= LEAST,
    }
    for what, is_right in right.items():
        print(f"{what}: {'right' if is_right else 'WRONG'}")
    return not all(right.values())


if __name__ == "__main__":
    sys.exit(main())
