"""Runs a user shader with FFmpeg's filter libplacebo, on whatever Vulkan device there is.

What the filter makes has 16 bits, so that levels of 8 bits can be compared in fractions. Like
a player it keeps 16-bit floating point between passes, which alone is up to a quarter of a level.
"""

import functools
import pathlib
import shutil
import subprocess
import tempfile

import numpy as np

from rts_tf.errors import RtsError
from rts_tf.export.runners.process import Opened, serve

_VULKAN = ("-init_hw_device", "vulkan=rts", "-filter_hw_device", "rts")
_ANY_FRAME = ("-f", "lavfi", "-i", "color", "-frames:v", "1", "-f", "null", "-")
_SHADER = "shader.glsl"  # a name that needs no escaping in the description of a filter


@functools.cache
def missing() -> str:
    """Say what is missing here to run shaders, in a few words; empty if nothing is."""
    if not shutil.which("ffmpeg"):
        return "ffmpeg is not installed"
    listed = _ffmpeg("-filters").stdout.decode(errors="replace")
    if not any("libplacebo" in line.split() for line in listed.splitlines()):
        return "the installed ffmpeg lacks the filter libplacebo"
    tried = _ffmpeg(*_VULKAN, *_ANY_FRAME)
    if tried.returncode:
        return "there is no Vulkan device (mesa-vulkan-drivers has one that needs no GPU)"
    return ""


def opened(path: pathlib.Path, signature: str) -> Opened:
    """Open a shader, for frames uint8 [H, W, 3] of RGB or [H, W, 1] of luma in limited range.

    Args:
        signature: "enhance", the only one that there is.

    Raises:
        RtsError: Something is missing here.
    """

    def function(frame: np.ndarray) -> np.ndarray:
        if frame.shape[2] == 3:
            return shown_rgb(path, frame)
        return shown_luma(path, frame[..., 0])[..., None]

    if missing():
        raise RtsError(f"{path.name}: {missing()}")
    return function


def shown_luma(
    path: pathlib.Path, luma: np.ndarray, bits: int = 8, full_range: bool = False
) -> np.ndarray:
    """Run a shader on luma; the colours of the video are grey.

    Args:
        path: The shader.
        luma: Unsigned integers of ``bits`` bits, [H, W].
        bits: 8 or 10.
        full_range: Whether white is the largest number, or 235 of 255.

    Returns:
        float32 [H, W], where 1 stands for 255 of 8 bits, or the largest number in full range.

    Raises:
        RtsError: FFmpeg or the shader fails. The message says why.
    """
    height, width = luma.shape
    stored = "<u2" if bits > 8 else "u1"
    grey = np.full(2 * (-(-height // 2)) * (-(-width // 2)), 2 ** (bits - 1), stored)
    pixels = "yuv420p10le" if bits > 8 else "yuv420p"
    colours = ("-color_range", "pc" if full_range else "tv")
    data = luma.astype(stored).tobytes() + grey.tobytes()
    output = _filtered(path, data, (width, height), (pixels, "yuv420p16le"), colours)
    white = 65535 if full_range else 255 * 256
    return output[: luma.size].reshape(luma.shape) / np.float32(white)


def shown_rgb(path: pathlib.Path, image: np.ndarray) -> np.ndarray:
    """Run a shader on an image.

    Args:
        path: The shader.
        image: uint8 [H, W, 3].

    Returns:
        float32 [H, W, 3] in [0, 1].

    Raises:
        RtsError: FFmpeg or the shader fails. The message says why.
    """
    height, width, _ = image.shape
    data = np.dstack([image, np.full((height, width), 255, np.uint8)]).tobytes()
    output = _filtered(path, data, (width, height), ("rgba", "rgba64le"), ())
    return output.reshape(height, width, 4)[..., :3] / np.float32(65535)


def _filtered(
    path: pathlib.Path,
    data: bytes,
    size: tuple[int, int],
    formats: tuple[str, str],
    colours: tuple[str, ...],
) -> np.ndarray:
    """Return the samples of a frame, uint16, in the second of ``formats``."""
    with tempfile.TemporaryDirectory() as folder:
        shutil.copyfile(path, pathlib.Path(folder, _SHADER))
        filters = (
            f"hwupload,libplacebo=custom_shader_path={_SHADER}:format={formats[1]}:dithering=-1,"
            f"hwdownload,format={formats[1]}"
        )
        source = ("-f", "rawvideo", "-pix_fmt", formats[0], "-s", "{}x{}".format(*size), *colours)
        arguments = (*_VULKAN, *source, "-i", "-", "-vf", filters, "-f", "rawvideo", "-")
        done = _ffmpeg(*arguments, data=data, folder=folder)
    # A shader that does not compile is left out, with a message.
    said = done.stderr.decode(errors="replace").strip().splitlines()
    failed = [line for line in said if "libplacebo" in line]
    if done.returncode or failed or not done.stdout:
        reason = (failed or said or ["ffmpeg fails"])[0]
        raise RtsError(f"{path.name}: cannot be run ({reason})")
    return np.frombuffer(done.stdout, "<u2")


def _ffmpeg(
    *arguments: str, data: bytes = b"", folder: str | None = None
) -> subprocess.CompletedProcess:
    command = ("ffmpeg", "-hide_banner", "-v", "error", *arguments)
    return subprocess.run(command, input=data, capture_output=True, cwd=folder)


if __name__ == "__main__":
    serve(opened)
