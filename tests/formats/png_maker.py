"""Makes random PNG files byte by byte."""

import struct
import zlib

import numpy as np

from tests.formats.image_parts import (
    CICP,
    DPI,
    GAMMA,
    LIGHT,
    MASTERING,
    PRIMARIES,
    TEXTS,
    XMP,
    ImageTruth,
    exif_of,
    profile_of,
    samples,
    typed,
)
from tests.formats.image_plans import ImagePlan
from tests.support.image_files import png, rows_of

EARLY = (b"gAMA", b"cHRM", b"sRGB", b"cICP", b"iCCP", b"mDCV", b"cLLI")


def make_png(plan: ImagePlan) -> tuple[bytes, ImageTruth]:
    words = plan.kind.split()
    if words[0] == "palette":
        return _png_palette(plan, words[1])
    bits = int(words[-1])
    channels = {"grey": 2 if "alpha" in words else 1, "rgb": 3, "rgba": 4}
    count = channels[words[1] if words[0] == "key" else words[0]]
    values = samples(plan, count, 2**bits - 1)
    chunks = _png_chunks(plan)
    alpha = values[..., -1] if count in (2, 4) else None
    colours = values[..., :-1] if alpha is not None else values
    if words[0] == "key":
        key = colours[0, 0]
        chunks.append((b"tRNS", b"".join(struct.pack(">H", value) for value in key)))
        alpha = np.where((colours == key).all(-1), 0, 2 ** max(bits, 8) - 1)
    contents = _png_file(plan, values, bits, {1: 0, 2: 4, 3: 2, 4: 6}[count], chunks)
    if bits < 8:
        colours = colours.astype(int) * 255 // (2**bits - 1)
    deep = max(bits, 8)
    shown = None if alpha is None else typed(alpha, deep)
    return contents, ImageTruth(typed(colours, deep), shown)


def _png_palette(plan: ImagePlan, which: str) -> tuple[bytes, ImageTruth]:
    bits = 8 if which == "alpha" else int(which)
    count = 2**bits
    width, height = plan.size
    indices = (np.add.outer(np.arange(height), np.arange(width)) // 2 % count).astype(np.uint16)
    steps = np.arange(count)
    # Of little colour, since formats with colour at half the resolution spread it
    grey = steps * 235 // max(count - 1, 1)
    palette = np.stack([grey + 20, grey + 8, grey], axis=1).astype(np.uint8)
    chunks = [*_png_chunks(plan), (b"PLTE", palette.tobytes())]
    alpha = None
    if which == "alpha":
        levels = np.clip(steps * 3, 0, 255).astype(np.uint8)
        chunks.append((b"tRNS", levels.tobytes()))
        alpha = levels[indices]
    contents = _png_file(plan, indices[..., None], bits, 3, chunks)
    return contents, ImageTruth(palette[indices], alpha)


def _png_file(
    plan: ImagePlan, values: np.ndarray, bits: int, colour_type: int, chunks: list
) -> bytes:
    width, height = plan.size
    if bits == 16:
        rows = rows_of(values.astype(">u2"))
    elif bits == 8:
        rows = rows_of(values.astype(np.uint8))
    else:
        weights = np.arange(bits - 1, -1, -1)
        spread = (values.reshape(height, -1, 1) >> weights & 1).reshape(height, -1)
        rows = rows_of(np.packbits(spread.astype(np.uint8), axis=1))
    order = {b"PLTE": 1, b"tRNS": 2}
    chunks = sorted(chunks, key=lambda chunk: order.get(chunk[0], 0 if chunk[0] in EARLY else 3))
    return png(width, height, bits, colour_type, rows, *chunks)


def _png_chunks(plan: ImagePlan) -> list[tuple[bytes, bytes]]:
    chunks = []
    if "gamma" in plan.extras:
        chunks += [(b"gAMA", GAMMA), (b"cHRM", PRIMARIES)]
    if "sRGB" in plan.extras:
        chunks.append((b"sRGB", b"\0"))
    if "cICP" in plan.extras:
        chunks.append((b"cICP", CICP))
    if "mDCV" in plan.extras:
        chunks += [(b"mDCV", MASTERING), (b"cLLI", LIGHT)]
    if "profile" in plan.extras:
        chunks.append((b"iCCP", b"mine\0\0" + zlib.compress(profile_of(plan))))
    if "EXIF" in plan.extras:
        chunks.append((b"eXIf", exif_of(plan)[6:]))
    if "XMP" in plan.extras:
        chunks.append((b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + XMP))
    if "resolution" in plan.extras:
        chunks.append((b"pHYs", struct.pack(">IIB", *2 * [round(DPI / 0.0254)], 1)))
    if "text" in plan.extras:
        chunks.append((b"tEXt", b"Title\0" + TEXTS["Title"].encode()))
        packed = zlib.compress(TEXTS["Comment"].encode())
        chunks.append((b"zTXt", b"Comment\0\0" + packed))
    return chunks
