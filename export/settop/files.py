"""Reads and writes images and files of raw frames. A file gets its name only when it is whole."""

import contextlib
import os
import pathlib
import warnings
from collections.abc import Iterator

import numpy as np
from PIL import Image, ImageOps

from export.settop.errors import SettopError

READ = ("PNG", "JPEG", "WEBP", "TIFF", "BMP")
# By suffix, what Pillow is given to write the format.
WRITTEN = {
    ".png": {},
    ".jpg": {"quality": 95, "subsampling": 0},
    ".webp": {"quality": 95},
    ".bmp": {},
}
WRITTEN[".jpeg"] = WRITTEN[".jpg"]


def read_image(path: str) -> tuple[np.ndarray, bytes | None]:
    """Read an image.

    Returns:
        The pixels, uint8 [H, W, 3], turned as EXIF says, and the ICC profile if there is one.

    Raises:
        SettopError: if the file cannot be read as an RGB or grey image of 8 bits.
    """
    try:
        with warnings.catch_warnings(), Image.open(path, formats=READ) as image:
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            if image.mode not in ("1", "L", "P", "RGB") or "transparency" in image.info:
                raise SettopError(
                    f"{path}: is of mode {image.mode}, or transparent, not plain RGB or grey of"
                    " 8 bits; rts_tf.enhance takes it"
                )
            profile = image.info.get("icc_profile") if image.mode == "RGB" else None
            return np.asarray(ImageOps.exif_transpose(image).convert("RGB")), profile
    except SettopError:
        raise
    except Exception as error:  # Pillow's decoders raise nearly every type on damaged files
        reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
        raise SettopError(
            f"{path}: cannot be read as an image ({reason}); for raw frames name their --size"
        ) from None


def write_image(path: pathlib.Path, image: np.ndarray, profile: bytes | None) -> None:
    """Write an image, uint8 [H, W, 3], with its ICC profile if the format takes one.

    Raises:
        SettopError: if the file cannot be written; there is none then.
    """
    with _named_errors(path), _temporary_beside(path) as temporary:
        extra = {"icc_profile": profile} if profile and path.suffix.lower() != ".bmp" else {}
        Image.fromarray(image).save(temporary, **WRITTEN[path.suffix.lower()], **extra)
        _publish(temporary, path)


class FrameFile:
    """Where frames are written: a new file, which gets its name at the end, or a pipe or device.

    Attributes:
        count: whole frames that were written.
    """

    def __init__(self, path: str):
        """Open ``path``; "-" is standard output."""
        self.count = self._bytes = 0
        self._path = pathlib.Path(path)
        self._regular = path != "-" and (not self._path.exists() or self._path.is_file())
        self._stack = contextlib.ExitStack()
        self._temporary = None
        if self._regular:
            self._temporary = self._stack.enter_context(_temporary_beside(self._path))
        target = 1 if path == "-" else self._temporary or self._path
        self._file = open(target, "wb", buffering=0, closefd=path != "-")  # noqa: SIM115
        self._stack.enter_context(self._file)

    def write(self, *parts: bytes | np.ndarray) -> None:
        """Write one frame, which consists of contiguous buffers. Nothing of it is kept back.

        Raises:
            BrokenPipeError: if nobody reads the pipe any more.
            SettopError: if the file cannot be written.
        """
        with _named_errors(self._path):
            for part in parts:
                left = memoryview(part).cast("B")
                while left:
                    left = left[self._file.write(left) :]
        self.count += 1
        self._bytes += sum(memoryview(part).nbytes for part in parts)

    def close(self) -> None:
        """Give the file its name, without a frame that is not whole.

        If there is no whole frame, there is no file.
        """
        with _named_errors(self._path), self._stack:
            if self._temporary and self.count:
                self._file.truncate(self._bytes)
                if os.name == "nt":  # Windows does not rename an open file
                    self._file.close()
                _publish(self._temporary, self._path)


@contextlib.contextmanager
def _named_errors(path: pathlib.Path) -> Iterator[None]:
    """Raise SettopError, which names the file, for an OSError other than a broken pipe."""
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        raise SettopError(f"{path}: cannot be written ({error.strerror or error})") from None


@contextlib.contextmanager
def _temporary_beside(path: pathlib.Path) -> Iterator[pathlib.Path]:
    """Yield a name in the same folder; what is left there at the end is removed."""
    temporary = path.with_name(f".{path.stem}.{os.getpid()}.tmp{path.suffix}")
    try:
        yield temporary
    finally:
        temporary.unlink(missing_ok=True)


def _publish(temporary: pathlib.Path, path: pathlib.Path) -> None:
    """Make a file durable under its name."""
    _sync(temporary)
    os.replace(temporary, path)
    if os.name != "nt":  # Windows opens no directory
        _sync(path.parent)


def _sync(path: pathlib.Path) -> None:
    # Windows syncs only what is open for writing.
    descriptor = os.open(path, os.O_RDWR if os.name == "nt" else os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
