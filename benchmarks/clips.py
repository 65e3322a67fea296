"""The clip that the benchmarks of video work on, and the command on it."""

import io
import pathlib
from fractions import Fraction

import av
import numpy as np
from rich.console import Console

from benchmarks.inputs import images, repeated
from rts_tf.cli.progress import RunProgress
from rts_tf.enhance.coding import Settings
from rts_tf.enhance.frame_enhancers import Model
from rts_tf.enhance.jobs import Job
from rts_tf.enhance.looks import megapixels_of
from rts_tf.enhance.progress import VIDEOS
from rts_tf.enhance.video import enhance_video

WIDTH, HEIGHT = 1920, 1080
IMAGES = 3  # that the clip shows
PAN = 2  # pixels per frame


def write_clip(path: pathlib.Path, data: str, frames: int) -> None:
    """Write a video in H.264 that pans over ``IMAGES`` images, one after the other.

    Args:
        path: The file.
        data: A folder of images; empty: the sample images.
        frames: Its length.
    """
    source = images(data)
    each = -(-frames // IMAGES)
    with av.open(str(path), "w") as container:
        video = container.add_stream(
            "libx264", rate=Fraction(24), width=WIDTH, height=HEIGHT, options={"crf": "14"}
        )
        video.codec_context.color_range, video.codec_context.colorspace = 1, 1
        for i in range(frames):
            if i % each == 0:
                name = source.names[i // each]
                image = repeated(source.read(name), HEIGHT, WIDTH + PAN * each)
            left = PAN * (i % each)
            window = np.ascontiguousarray(image[:HEIGHT, left : left + WIDTH])
            frame = av.VideoFrame.from_ndarray(window, "rgb24").reformat(
                format="yuv420p", dst_colorspace="ITU709", dst_color_range="MPEG"
            )
            frame.pts = i
            container.mux(video.encode(frame))
        container.mux(video.encode(None))


def enhance(
    video: pathlib.Path, enhanced: pathlib.Path, model: Model, settings: Settings | None = None
) -> None:
    """Enhance a video as the command does."""
    enhanced.unlink(missing_ok=True)
    job = Job(str(video), enhanced, video.name, video=True)
    progress = RunProgress({VIDEOS: megapixels_of(job)}, Console(file=io.StringIO()))
    enhance_video(job, lambda info, precision: model, settings or Settings(), progress, "clip")
