"""The valid files that are damaged: small, and of every format that is read."""

import functools
import io
import json
import pathlib
import tempfile

import numpy as np
from PIL import Image

from tests.support.image_files import EIGHT, PROFILE, SIXTEEN, chunk, exif, planes, saved, tif
from tests.support.paths import ROOT

XMP = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><a tiff:Orientation="6" b="1"/></x:xmpmeta>'


@functools.cache
def images() -> dict[str, tuple[bytes, ...]]:
    """Files by the suffix of their format."""
    image = Image.fromarray(EIGHT)
    clear = Image.fromarray(np.dstack([EIGHT, EIGHT[..., 0]]))
    kept = {"icc_profile": PROFILE, "exif": exif(6, "somebody")}
    png = saved(image, "PNG", **kept, dpi=(72, 72))
    texts = b"".join(
        chunk(*part)
        for part in (
            (b"zTXt", b"Comment\0\0" + _deflated(b"a comment" * 9)),
            (b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + XMP),
            (b"tEXt", b"Raw profile type exif\0\nexif\n 8\n4578696600004949"),
            (b"tRNS", b"\0\1\0\2\0\3"),
        )
    )
    found = {
        ".png": (
            png,
            png[:33] + texts + png[33:],
            saved(clear, "PNG"),
            saved(image.convert("P"), "PNG"),
            saved(Image.fromarray(SIXTEEN[..., 0]), "PNG"),
            saved(image.convert("1"), "PNG"),
        ),
        ".jpg": (
            saved(image, "JPEG", **kept, xmp=XMP, comment=b"a comment"),
            saved(image.convert("L"), "JPEG", progressive=True),
            saved(image.convert("CMYK"), "JPEG"),
        ),
        ".webp": (
            saved(image, "WEBP", **kept, xmp=XMP),
            saved(clear, "WEBP", lossless=True),
        ),
        ".tif": (
            saved(image, "TIFF", **kept),
            *(saved(image, "TIFF", compression=c, icc_profile=PROFILE) for c in _COMPRESSIONS),
            *(tif(SIXTEEN, compression=c) for c in (None, "zlib")),
            tif(EIGHT, compression="zlib", predictor=True, tile=(16, 16), metadata=None),
            tif(SIXTEEN, bigtiff=True, byteorder=">"),
            tif((SIXTEEN / 65535).astype(np.float32)),
            planes(SIXTEEN),
        ),
        ".bmp": (saved(image, "BMP"), saved(image.convert("P"), "BMP")),
        ".gif": (saved(image.convert("P"), "GIF", transparency=3),),
        ".avif": (saved(image, "AVIF", **kept),),
    }
    return found | _of_plug_ins(image)


_COMPRESSIONS = ("tiff_deflate", "tiff_lzw", "packbits", "jpeg")


def _deflated(data: bytes) -> bytes:
    import zlib

    return zlib.compress(data)


def _of_plug_ins(image: Image.Image) -> dict[str, tuple[bytes, ...]]:
    found = {}
    try:
        import pillow_jxl  # noqa: F401

        found[".jxl"] = (saved(image, "JXL"),)
    except ImportError:
        pass
    try:
        import pillow_heif

        pillow_heif.register_heif_opener(thumbnails=False)
        found[".heic"] = (saved(image, "HEIF"),)
    except Exception:  # it is not there, or has no encoder
        pass
    return found


@functools.cache
def videos() -> dict[str, tuple[bytes, ...]]:
    """Files of every kind of container and codec, by suffix."""
    from tests.support.videos import make

    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder)
        small = {"count": 5, "size": (64, 48)}
        made = [
            make(root / "a.mp4", audio="aac", **small),
            make(root / "b.mkv", "libx265", subtitles=True, options={"x265-params": "log-level=0"}),
            make(root / "c.webm", "libvpx-vp9", options={}, **small),
            make(root / "d.avi", "mjpeg", "yuvj420p", options={}, audio="mp3", **small),
            make(root / "e.ts", "mpeg2video", options={}, audio="mp2", **small),
            make(root / "f.mov", "prores_ks", "yuv422p10le", options={}, **small),
            make(root / "g.flv", rotation=0, **small),
            make(root / "h.mpg", "mpeg2video", options={}, **small),
            make(root / "i.mkv", "ffv1", options={}, **small),
        ]
        found = {}
        for path in made:
            found.setdefault(path.suffix, []).append(path.read_bytes())
    frames = [Image.fromarray(np.roll(EIGHT, i, 0)) for i in range(3)]
    for kind, suffix in (("GIF", ".gif"), ("PNG", ".png"), ("WEBP", ".webp")):
        more = {"save_all": True, "append_images": frames[1:], "duration": 40}
        found.setdefault(suffix, []).append(saved(frames[0], kind, **more))
    return {suffix: tuple(files) for suffix, files in found.items()}


@functools.cache
def streams() -> dict[str, tuple[bytes, ...]]:
    """YUV4MPEG2."""
    frame = b"FRAME\n" + bytes(range(24))
    tens = b"FRAME\n" + bytes(range(48))
    return {
        ".y4m": (
            b"YUV4MPEG2 W4 H4 F25:1 Ip A1:1 C420jpeg XCOLORRANGE=FULL\n" + 3 * frame,
            b"YUV4MPEG2 W4 H4 C420p10\n" + 2 * tens,
            b"YUV4MPEG2 W4 H6 Cmono\n" + 2 * frame,
        )
    }


def npz() -> bytes:
    file = io.BytesIO()
    np.savez_compressed(file, slider=EIGHT, **{"strip a": EIGHT[:32, :32]})
    return file.getvalue()


@functools.cache
def tflite() -> dict[str, tuple[bytes, ...]]:
    """The files in the package, which are small, for luma of any size."""
    folder = ROOT / "rts_tf" / "pretrained"
    return {".tflite": tuple(file.read_bytes() for file in sorted(folder.glob("*large.tflite")))}


def as_json(contents: object) -> bytes:
    return json.dumps(contents).encode()
