"""Pictures in and out, and where frames go: a name is given to what is whole, and to nothing else."""

import contextlib
import os
import pathlib
import warnings
from collections.abc import Iterator

import numpy as np
from PIL import Image, ImageOps

from export.settop.errors import SettopError

READ = ("PNG", "JPEG", "WEBP", "TIFF", "BMP")
WRITTEN = {
    ".png": {},
    ".jpg": {"quality": 95, "subsampling": 0},
    ".webp": {"quality": 95},
    ".bmp": {},
}
WRITTEN[".jpeg"] = WRITTEN[".jpg"]


def read_image(path: str) -> tuple[np.ndarray, bytes | None]:
    """uint8 [H, W, 3], turned as EXIF says, and the ICC profile. Raises SettopError naming the file and why not."""
    try:
        with warnings.catch_warnings(), Image.open(path, formats=READ) as image:
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            if image.mode not in ("1", "L", "P", "RGB") or "transparency" in image.info:
                raise SettopError(
                    f"{path}: is of mode {image.mode}, or transparent, not plain RGB or grey of 8 bits; rts_tf.enhance takes it"
                )
            profile = image.info.get("icc_profile") if image.mode == "RGB" else None
            return np.asarray(ImageOps.exif_transpose(image).convert("RGB")), profile
    except SettopError:
        raise
    except (
        Exception
    ) as error:  # on damaged files Pillow's decoders raise nearly every type there is
        reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
        raise SettopError(
            f"{path}: cannot be read as a picture ({reason}); for raw frames name their --size"
        ) from None


def write_picture(path: pathlib.Path, picture: np.ndarray, profile: bytes | None) -> None:
    """Write ``picture``, uint8 [H, W, 3], whole or not at all."""
    with _told(path), _beside(path) as temporary:
        extra = {"icc_profile": profile} if profile and path.suffix.lower() != ".bmp" else {}
        Image.fromarray(picture).save(temporary, **WRITTEN[path.suffix.lower()], **extra)
        _take_place(temporary, path)


class FrameFile:
    """Where frames are written: a new file, which takes its place when it is closed, or a pipe or device as it is.

    Attributes:
        count: whole frames that were written.
    """

    def __init__(self, path: str):
        """``path``: "-" is standard output."""
        self.count = self._bytes = 0
        self._path = pathlib.Path(path)
        self._regular = path != "-" and (not self._path.exists() or self._path.is_file())
        self._stack = contextlib.ExitStack()
        self._temporary = self._stack.enter_context(_beside(self._path)) if self._regular else None
        target = 1 if path == "-" else self._temporary or self._path
        self._file = open(target, "wb", buffering=0, closefd=path != "-")  # noqa: SIM115 - closed by the stack
        self._stack.enter_context(self._file)

    def write(self, frame: bytes) -> None:
        left = memoryview(frame)
        with _told(self._path):
            while left:
                left = left[self._file.write(left) :]
        self.count += 1
        self._bytes += len(frame)

    def close(self) -> None:
        """Give the file its name, without a frame that was not finished; without any frame, there is no file."""
        with _told(self._path), self._stack:
            if self._regular and self.count:
                self._file.truncate(self._bytes)
                _take_place(self._temporary, self._path)


@contextlib.contextmanager
def _told(path: pathlib.Path) -> Iterator[None]:
    """Name the file when writing it fails; a pipe that nobody reads any more is not a failure of ours."""
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        raise SettopError(f"{path}: cannot be written ({error.strerror or error})") from None


@contextlib.contextmanager
def _beside(path: pathlib.Path) -> Iterator[pathlib.Path]:
    temporary = path.with_name(f".{path.stem}.{os.getpid()}.tmp{path.suffix}")
    try:
        yield temporary
    finally:
        temporary.unlink(missing_ok=True)


def _take_place(temporary: pathlib.Path, path: pathlib.Path) -> None:
    for place in (temporary, path.parent):
        if place == path.parent:
            os.replace(temporary, path)
        descriptor = os.open(place, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
