"""What the user chose for videos, and how that makes each of them encoded."""

from typing import NamedTuple

from rts_tf.enhance import AUTO, NONE
from rts_tf.enhance.frame_enhancers import Model
from rts_tf.enhance.jobs import Job
from rts_tf.errors import VideoError
from rts_tf.luma.enhancer import LumaEnhancer
from rts_tf.video.alpha import formats_with_alpha
from rts_tf.video.encoders import ENCODERS, Coding
from rts_tf.video.info import VideoInfo
from rts_tf.video.presets import problem_with
from rts_tf.video.suffixes import container_of
from rts_tf.video.trial import can_encode, lost_description
from rts_tf.video.wishes import Wishes

# The presets beside a network for luma. With those of ``ENCODERS`` the encoder would take more time
# than the network and the decoder together (docs/enhancing.md has the figures).
BESIDE_LUMA = {"h264": "veryfast", "hevc": "superfast"}

# What takes frames that the usual codec does not, such as odd sizes in 4:2:0, the best first
_OTHERS = ("vp9", "av1", "hevc", "h264", "ffv1")


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
        deinterlace: One of ``rts_tf.enhance.DEINTERLACE``.
    """

    strength: float = 1.0
    chroma: bool = False
    codec: str = "auto"
    crf: int | None = None
    preset: str = ""
    wishes: Wishes = Wishes()
    deinterlace: str = NONE


class Plan(NamedTuple):
    """How a video is encoded.

    Attributes:
        coding: The encoder; :func:`with_preset_for` may still choose the preset.
        info: The video in the format in which it is encoded.
        notes: Lines about what is not as usual, or not kept.
    """

    coding: Coding
    info: VideoInfo
    notes: list[str]


def plan_for(info: VideoInfo, job: Job, settings: Settings, transparent: bool) -> Plan:
    """Plan how to encode a video.

    Args:
        transparent: Whether a frame of it is transparent anywhere.

    Raises:
        VideoError: The codec has no ``crf``, or not this preset, or takes no frames like these.
    """
    container, notes = container_of(job.target), []
    coding, coded = _taking(info, job, settings)
    if transparent:
        formats = formats_with_alpha(coding.codec, container, coding.formats())
        if formats:
            coded = info.in_format_of(formats)._replace(alpha=True)
        else:
            notes.append(
                f"its transparency was left out, which {coding.codec} in {job.target.suffix} cannot"
                " hold; `codec`=vp9 (in .webm and .mkv) and `codec`=ffv1 (in .mkv) can"
            )
    if settings.codec == AUTO and coding.codec != (usual := _usual_codec(info, job)):
        size = f"{info.width}x{info.height}"
        notes.append(f"{usual} takes no {size} {coded.format}, so {coding.codec} was chosen")
    if lost := lost_description(coded, coding, container):
        where = f"{coding.codec} in {job.target.suffix}"
        notes.append(f"left out, since {where} has no place for it: {', '.join(lost)}")
    return Plan(coding, coded, notes)


def _taking(info: VideoInfo, job: Job, settings: Settings) -> tuple[Coding, VideoInfo]:
    """The encoder that was asked for, or the first that takes such frames; and their format."""
    container, asked = container_of(job.target), settings.codec
    usual = _usual_codec(info, job) if asked == AUTO else asked
    coding = coding_for(job, settings._replace(codec=usual))
    coded = info.in_format_of(coding.formats())
    if can_encode(coded, coding, container):
        return coding, coded
    others = [
        (other, info.in_format_of(other.formats()))
        for other in (_another(job, settings, codec) for codec in _OTHERS if codec != usual)
    ]
    others.sort(key=lambda pair: pair[1].format != coded.format)  # first those that lose nothing
    able = [(other, its) for other, its in others if can_encode(its, other, container)]
    if able and asked == AUTO:
        return able[0]
    where = "" if able else ", in a .mkv"
    able = able or [(other, its) for other, its in others if can_encode(its, other, "matroska")]
    what = f"{info.width}x{info.height} {coded.format}"
    raise VideoError(
        f"{job.target}: {usual} cannot code {what} into {job.target.suffix};"
        f" `codec`={' or '.join(other.codec for other, _ in able)} can{where}"
    )


def _another(job: Job, settings: Settings, codec: str) -> Coding:
    """The encoder ``codec`` in place of the one that was asked for."""
    crf = None if ENCODERS[codec].crf is None else settings.crf
    preset = "" if problem_with(settings.preset, codec) else settings.preset
    return coding_for(job, settings._replace(codec=codec, crf=crf, preset=preset))


def _usual_codec(info: VideoInfo, job: Job) -> str:
    # Hardware decodes ten bits of HEVC, but not of H.264.
    return "vp9" if container_of(job.target) == "webm" else "hevc" if info.bits > 8 else "h264"


def coding_for(job: Job, settings: Settings) -> Coding:
    """Return how to encode a video with the codec of ``settings``, which is not "auto".

    Raises:
        VideoError: The codec has no ``crf``, or not this preset.
    """
    codec = settings.codec
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
