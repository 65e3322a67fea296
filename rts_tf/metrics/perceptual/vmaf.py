"""VMAF and VMAF-NEG by the libvmaf inside FFmpeg, of an image or a video against its reference.

VMAF (Li et al., "Toward a practical perceptual video quality metric", Netflix 2016) predicts the
opinion of viewers from 0 (worst) to 100. It rewards sharpening and contrast beyond the reference.
VMAF-NEG ("no enhancement gain", Li et al., "Toward a Better Quality Metric for the Video
Community", Netflix 2020) limits that reward, so that the difference between the two tells how
much of a score was bought with sharpness.
"""

import json
import pathlib
import subprocess
import tempfile
from typing import NamedTuple

import numpy as np

from rts_tf.errors import RtsError, first_line
from rts_tf.metrics.perceptual.checks import check_pair
from rts_tf.metrics.perceptual.packages import INSTALL, package

SMALLEST = 32  # pixels a side
# From R, G, B in 0..1 to 8-bit Y, Cb, Cr of ITU-R BT.709 in limited range
_RED, _BLUE = 0.2126, 0.0722
_LUMA = np.array([_RED, 1 - _RED - _BLUE, _BLUE])
_MATRIX = np.stack(
    [
        219 * _LUMA,
        224 * (np.array([0, 0, 1]) - _LUMA) / (2 * (1 - _BLUE)),
        224 * (np.array([1, 0, 0]) - _LUMA) / (2 * (1 - _RED)),
    ]
)
_OFFSET = np.array([16, 128, 128])
_MODELS = r"version=vmaf_v0.6.1\:name=vmaf|version=vmaf_v0.6.1neg\:name=neg"


class Vmaf(NamedTuple):
    """Scores of the models vmaf_v0.6.1 and vmaf_v0.6.1neg, about 0 to 100; higher is better.

    Attributes:
        vmaf: VMAF.
        neg: VMAF-NEG, which rewards no sharpening.
    """

    vmaf: float
    neg: float


def vmaf(image: np.ndarray, reference: np.ndarray) -> Vmaf:
    """Measure ``image`` against ``reference`` by VMAF and VMAF-NEG.

    Both sides are converted here, by the same arithmetic and without subsampling, to YUV 4:4:4 of
    BT.709 in limited range, rounded to 8 bits. FFmpeg converts nothing. One image has no motion,
    so the scores of an image that equals its reference are about 97.4 rather than 100.

    Args:
        image: uint8 RGB [H, W, 3], or the frames of a video [n, H, W, 3], at least SMALLEST pixels
            a side.
        reference: The same shape.

    Returns:
        The scores, for a video the mean over its frames.

    Raises:
        ValueError: A dtype or a shape is another one.
        ImageError: The images are too small.
        RtsError: imageio-ffmpeg is not installed, or its FFmpeg cannot measure VMAF.
    """
    check_pair(image, reference, SMALLEST, video=True)
    height, width = image.shape[-3:-1]
    with tempfile.TemporaryDirectory(prefix="rts_vmaf_") as name:
        folder = pathlib.Path(name)
        for file, frames in (("image.yuv", image), ("reference.yuv", reference)):
            with open(folder / file, "wb") as stream:
                for frame in frames.reshape(-1, height, width, 3):
                    stream.write(yuv444(frame).tobytes())
        return _measured(folder, f"{width}x{height}")


def yuv444(frame: np.ndarray) -> np.ndarray:
    """Convert a frame to YUV 4:4:4 of BT.709 in limited range.

    Args:
        frame: uint8 RGB [H, W, 3].

    Returns:
        uint8 [3, H, W]: Y in 16..235, and Cb and Cr in 16..240.
    """
    levels = np.tensordot(_MATRIX / 255, frame, axes=(1, 2)) + _OFFSET[:, None, None]
    return np.round(levels).astype(np.uint8)


def _measured(folder: pathlib.Path, size: str) -> Vmaf:
    """Run FFmpeg on the files in ``folder``, and read the scores in the log that it writes."""
    raw = ("-f", "rawvideo", "-pix_fmt", "yuv444p", "-s", size, "-i")
    command = [_ffmpeg(), "-hide_banner", "-nostdin", "-loglevel", "error"]
    command += [*raw, "image.yuv", *raw, "reference.yuv"]
    command += ["-lavfi", f"[0:v][1:v]libvmaf=log_fmt=json:log_path=log.json:model='{_MODELS}'"]
    command += ["-f", "null", "-"]
    try:
        subprocess.run(command, cwd=folder, check=True, capture_output=True)
        pooled = json.loads((folder / "log.json").read_text())["pooled_metrics"]
        return Vmaf(pooled["vmaf"]["mean"], pooled["neg"]["mean"])
    except subprocess.CalledProcessError as error:
        said = error.stderr.decode(errors="replace").strip() or f"exit code {error.returncode}"
        raise RtsError(f"{command[0]}: cannot measure VMAF: {said.splitlines()[0]}") from error
    except (OSError, ValueError, KeyError) as error:
        raise RtsError(f"{command[0]}: cannot measure VMAF: {first_line(error)}") from error


def _ffmpeg() -> str:
    try:
        return package("imageio_ffmpeg").get_ffmpeg_exe()
    except RuntimeError as error:
        raise RtsError(f"imageio-ffmpeg has no FFmpeg ({first_line(error)}); {INSTALL}") from error
