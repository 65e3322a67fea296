"""What decides about every bit of an enhanced video, as its hidden directory records it."""

import hashlib
from collections.abc import Callable
from typing import Any

import av
import tensorflow as tf

from rts_tf.enhance.coding import Settings
from rts_tf.enhance.frame_enhancers import Model
from rts_tf.enhance.jobs import Job
from rts_tf.enhance.work_directory import SOURCE_KEY, differences, recorded_settings
from rts_tf.luma.enhancer import LumaEnhancer
from rts_tf.video.encoders import THREADS, Coding
from rts_tf.video.info import VideoInfo
from rts_tf.video.side_data import WRITTEN_BY
from rts_tf.video.survey import Survey
from rts_tf.video.timeline import Timeline


def record_of(
    info: VideoInfo,
    survey: Survey,
    coding: Coding,
    settings: Settings,
    model: Model,
    *,
    frames_in_a_segment: int,
    deinterlaced: str = "",
) -> dict[str, Any]:
    """Return what decides about the frames and their encoding, in JSON types.

    The keys are those of earlier versions, whose half-made videos are continued. What these did not
    know has a key only where it decides about a bit.
    """
    names = " ".join(type(layer).__name__ for layer in model.network.layers)
    weights = hashlib.sha256(names.encode())
    for array in model.network.get_weights():
        weights.update(array.tobytes())
    if isinstance(model, LumaEnhancer):
        weights.update(model.integer_file)
    options = sorted(coding.options_for(info).items())
    kept = sorted(WRITTEN_BY.get(coding.codec, set()).intersection(info.side_data))
    later = {
        "deinterlace": deinterlaced,
        "alpha": info.alpha,
        "options": options,
        "side_data": kept,
    }
    return {key: value for key, value in later.items() if value} | {
        SOURCE_KEY: survey.digest,
        **_times_of(survey.timeline),
        "format": info.format,
        "network": weights.hexdigest(),
        "precision": arithmetic(model, info),
        "border": "repeated",
        "strength": settings.strength,
        "chroma": settings.chroma,
        "codec": [coding.codec, coding.crf, *sorted(coding.options.items())],
        "frames_in_a_segment": frames_in_a_segment,
        "encoder_threads": THREADS,
        "tensorflow": tf.__version__,
        "ffmpeg": sorted(av.library_versions.items()),
    }


def _times_of(timeline: Timeline) -> dict[str, list]:
    """What decides about the times of frames, where they are not those of the file."""
    if not timeline.changes_times:
        return {}
    return {"offsets": [*map(str, timeline.offsets)], "wild_packets": sorted(timeline.wild)}


def arithmetic(model: Model, info: VideoInfo) -> list[str]:
    """Return the types in which ``model`` computes frames of the video ``info``."""
    if isinstance(model, LumaEnhancer) and model.integers and info.bits == 8:
        return ["int8"]
    return sorted({str(layer.compute_dtype) for layer in model.network.layers})


def in_recorded_precision(
    job: Job,
    info: VideoInfo,
    record: dict[str, Any],
    model: Model,
    load: Callable[[VideoInfo, str], Model],
) -> tuple[Model, list[str]]:
    """Return the network in the precision that a half-made video began with, and a warning.

    If that is the only difference, ``record`` gets that precision too. Else, and where this machine
    has not what the video began with, such as LiteRT for integers, ``model`` is returned.
    """
    recorded = recorded_settings(job.target)
    if recorded is None or differences(recorded, record) != {"precision"}:
        return model, []
    precision = "mixed_bfloat16" if "bfloat16" in recorded.get("precision", ()) else "float32"
    other = load(info, precision)
    if arithmetic(other, info) != recorded.get("precision"):
        return model, []
    record["precision"] = recorded["precision"]
    return other, [f"it began in {precision} and was continued in it"]
