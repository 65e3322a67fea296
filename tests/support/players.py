"""Programs that show video through a shader: FFmpeg's filter libplacebo, and mpv under Xvfb."""

import contextlib
import os
import pathlib
import shutil
import subprocess
from collections.abc import Iterator

import cv2
import numpy as np
import pytest

from rts_tf.export.runners import placebo

# Takes a screenshot of the first frame, once it is shown, and ends mpv.
SCREENSHOT = """
local taken = false
mp.register_event("playback-restart", function()
    if taken then return end
    taken = true
    mp.add_timeout(0.3, function()
        mp.commandv("screenshot-to-file", os.getenv("RTS_SCREENSHOT"), "window")
        mp.commandv("quit")
    end)
end)
"""
SETTINGS = (
    "--no-config",
    "--no-audio",
    "--no-osc",
    "--osd-level=0",
    "--pause",
    "--gpu-sw=yes",
    "--dither-depth=no",
    "--screenshot-format=png",
    "--screenshot-high-bit-depth=yes",
)
OPENGL = ("--gpu-api=opengl", "--gpu-context=x11egl")
PATIENCE = 60  # seconds
ATTEMPTS = 3  # a window on a busy machine may not open in time


def needs_placebo() -> None:
    """Skip the test where shaders cannot be run by FFmpeg."""
    if placebo.missing():
        pytest.skip(placebo.missing())


@contextlib.contextmanager
def display() -> Iterator[str]:
    """Start an X server without a screen; yields its name. Skips where a program is missing."""
    for program in ("mpv", "Xvfb"):
        if not shutil.which(program):
            pytest.skip(f"{program} is not installed")
    read, write = os.pipe()
    command = ["Xvfb", "-displayfd", str(write), "-screen", "0", "800x600x24", "-nolisten", "tcp"]
    with open(os.devnull, "w") as nowhere:
        server = subprocess.Popen(command, pass_fds=[write], stderr=nowhere)
    os.close(write)
    try:
        with open(read) as numbers:
            yield f":{numbers.readline().strip()}"
    finally:
        server.terminate()
        server.wait()


def vulkan() -> tuple[str, ...]:
    """What makes mpv take the first Vulkan device, which it does for a GPU alone by itself."""
    listing = ["mpv", "--no-config", "--gpu-api=vulkan", "--vulkan-device=help"]
    said = subprocess.run(listing, capture_output=True, text=True).stdout
    names = [line.split("'")[1] for line in said.splitlines() if "'" in line]
    return ("--gpu-api=vulkan", f"--vulkan-device={names[0]}") if names else ("--gpu-api=vulkan",)


def shown(
    screen: str, file: pathlib.Path, size: tuple[int, int], *settings: str
) -> tuple[np.ndarray, str]:
    """Show the first frame of a file in mpv.

    Args:
        screen: What :func:`display` yields.
        size: Width and height of the window.
        settings: Of mpv, beside ``SETTINGS``.

    Returns:
        What the window shows, in levels of 8 bits with fractions, float64 [H, W, 3], and what mpv
        says.
    """
    folder = file.parent
    script, result = folder / "screenshot.lua", folder / "shown.png"
    script.write_text(SCREENSHOT)
    result.unlink(missing_ok=True)
    place = {"DISPLAY": screen, "RTS_SCREENSHOT": str(result), "XDG_RUNTIME_DIR": str(folder)}
    window = "--geometry={}x{}".format(*size)
    command = ["mpv", *SETTINGS, window, f"--script={script}", *settings, str(file)]
    said = ""
    for _ in range(ATTEMPTS):
        with contextlib.suppress(subprocess.TimeoutExpired):
            done = subprocess.run(
                command,
                env={**os.environ, **place},
                capture_output=True,
                text=True,
                timeout=PATIENCE,
            )
            said = done.stdout + done.stderr
        if result.is_file():
            break
    assert result.is_file(), said
    image = cv2.imread(str(result), cv2.IMREAD_UNCHANGED)[..., 2::-1]
    return image / (257 if image.dtype == np.uint16 else 1), said


def grey_video(file: pathlib.Path, luma: np.ndarray) -> None:
    """Write a frame of luma, uint8 [H, W] in limited range, as YUV4MPEG2."""
    height, width = luma.shape
    grey = bytes([128]) * (2 * (-(-height // 2)) * (-(-width // 2)))
    header = f"YUV4MPEG2 W{width} H{height} F25:1 Ip A1:1 C420jpeg XCOLORRANGE=LIMITED\n"
    file.write_bytes(header.encode() + b"FRAME\n" + luma.tobytes() + grey)
