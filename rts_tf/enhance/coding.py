"""What the user chose for videos, and how that makes each of them encoded."""

from typing import NamedTuple

from rts_tf.enhance.frame_enhancers import Model
from rts_tf.enhance.jobs import Job
from rts_tf.errors import VideoError
from rts_tf.luma.enhancer import LumaEnhancer
from rts_tf.video.encoders import ENCODERS, Coding
from rts_tf.video.info import VideoInfo
from rts_tf.video.presets import problem_with
from rts_tf.video.suffixes import container_of
from rts_tf.video.wishes import Wishes

# The presets beside a network for luma. With those of ``ENCODERS`` the encoder would take more time
# than the network and the decoder together (docs/enhancing.md has the figures).
BESIDE_LUMA = {"h264": "veryfast", "hevc": "superfast"}


class Settings(NamedTuple):
    """What the user chose.

    Attributes:
        strength: The share of the network's change that is taken.
        chroma: Whether chroma is enhanced too.
        codec: A key of ``rts_tf.video.encoders.ENCODERS``, or "auto".
        crf: The quality; None: the default of the encoder.
        preset: One of ``rts_tf.video.presets.PRESETS``; empty: what suits the network.
        wishes: What to do with sound and subtitles. They are written after all frames, so the work
            on a video that was stopped goes on with any other wishes.
    """

    strength: float = 1.0
    chroma: bool = False
    codec: str = "auto"
    crf: int | None = None
    preset: str = ""
    wishes: Wishes = Wishes()


def coding_for(info: VideoInfo, job: Job, settings: Settings) -> Coding:
    """Return how to encode a video; :func:`with_preset_for` may still choose the preset.

    Raises:
        VideoError: The codec has no ``crf``, or not this preset.
    """
    codec = settings.codec
    if codec == "auto":
        # Hardware decodes ten bits of HEVC, but not of H.264.
        deep = info.bits > 8
        codec = "vp9" if container_of(job.target) == "webm" else "hevc" if deep else "h264"
    if settings.crf is not None and ENCODERS[codec].crf is None:
        raise VideoError(f"{job.target}: {codec} has no `crf`")
    if problem := problem_with(settings.preset, codec):
        raise VideoError(f"{job.target}: `encoder_preset`={settings.preset}: {problem}")
    crf = ENCODERS[codec].crf if settings.crf is None else settings.crf
    return Coding(codec, crf, settings.preset)


def with_preset_for(model: Model, coding: Coding) -> Coding:
    """Return ``coding`` with a fast preset if ``model`` is fast and the user chose none."""
    if coding.preset or not isinstance(model, LumaEnhancer):
        return coding
    return coding._replace(preset=BESIDE_LUMA.get(coding.codec, ""))
