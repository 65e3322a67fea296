"""Plans the enhancement of a video: how it is encoded, by which network, and what decides that."""

from collections.abc import Callable
from typing import Any, NamedTuple

from rts_tf.enhance.coding import Settings, plan_for, with_preset_for
from rts_tf.enhance.frame_enhancers import FrameEnhancer, Model, frame_enhancer
from rts_tf.enhance.looks import deinterlacer_for, is_transparent
from rts_tf.enhance.record import in_recorded_precision, record_of
from rts_tf.enhance.targets import Job
from rts_tf.video.damage import Damage, clock
from rts_tf.video.encoders import Coding
from rts_tf.video.info import VideoInfo
from rts_tf.video.interlacing import Deinterlacer
from rts_tf.video.pixel_formats import without_alpha, without_range
from rts_tf.video.reader import VideoReader
from rts_tf.video.side_data import SideData
from rts_tf.video.survey import Survey
from rts_tf.video.times import Gap

SEGMENT = 48  # frames, about two seconds: what a kill costs, and the distance of key frames

# Loads the network for a video in a precision: "auto", "float32" or "mixed_bfloat16"
LoadModel = Callable[[VideoInfo, str], Model]


class VideoPlan(NamedTuple):
    """How a video is enhanced.

    Attributes:
        info: The video in the format in which it is encoded.
        survey: Of its source.
        whole: Makes whole frames of interlaced ones; None if there are none.
        coding: How it is encoded.
        model: The network.
        network: The same as a function of frames.
        record: What decides about every bit.
        notes: Lines about how a video that was stopped is continued.
        lost: Lines about what is not kept.
    """

    info: VideoInfo
    survey: Survey
    whole: Deinterlacer | None
    coding: Coding
    model: Model
    network: FrameEnhancer
    record: dict[str, Any]
    notes: list[str]
    lost: list[str]


def plan_video(
    reader: VideoReader, job: Job, load: LoadModel, settings: Settings, precision: str = "auto"
) -> VideoPlan:
    """Plan to enhance a video; one that is half made is continued in its precision.

    Args:
        reader: The source of ``job``.
        precision: That of the network; the recorded one has precedence over "auto".

    Raises:
        VideoError: The video cannot be read, or its container cannot hold what is to be kept.
    """
    survey = reader.survey()
    whole = deinterlacer_for(reader, settings.deinterlace)
    coding, info, lost = plan_for(reader.info, job, settings, is_transparent(reader))
    model = load(info, precision)
    coding = with_preset_for(model, coding)
    record = record_of(
        *(info, survey, coding, settings, model),
        frames_in_a_segment=SEGMENT,
        deinterlaced=settings.deinterlace if whole else "",
    )
    notes: list[str] = []
    if precision == "auto":
        model, notes = in_recorded_precision(job, info, record, model, load)
    network = frame_enhancer(model, info, settings.strength, settings.chroma)
    return VideoPlan(info, survey, whole, coding, model, network, record, notes, lost)


class Seen:
    """What is seen of a video while all its frames are decoded."""

    def __init__(self, plan: VideoPlan):
        self.gaps: list[Gap] = []
        self.side_data = SideData(plan.coding.codec)
        self._plan = plan

    def lines(self, reader: VideoReader) -> tuple[list[str], list[str]]:
        """Lines about what of the video could not be kept: of its frames, and beside them."""
        plan = self._plan
        marked = plan.survey.damage[plan.info.stream_index]
        damage = max(marked, reader.damage, key=lambda damage: damage.count)
        beside = [*self.side_data.lines(), *(plan.whole.lines() if plan.whole else ())]
        return _warnings(plan.info, self.gaps, damage), beside


def _warnings(info: VideoInfo, gaps: list[Gap], damage: Damage) -> list[str]:
    """Lines about what of a video could not be kept."""
    warnings = []
    if without_alpha(without_range(info.source_format)) != info.format:
        warnings.append(f"pixel format {info.source_format} became {info.coded_format}")
    if damage:
        warnings.append(f"its video is damaged {damage.where()}: frames may be missing or wrong")
    if gaps:
        length = f"{sum(gap.length for gap in gaps):.1f} s"
        first = f"at {clock(gaps[0].start)}"
        what = f"a gap of {length} {first}"
        if len(gaps) > 1:
            what = f"{len(gaps)} gaps of {length} in all, the first {first}"
        warnings.append(f"{what}, where frames could not be decoded")
    return warnings
