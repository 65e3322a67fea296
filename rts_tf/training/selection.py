"""When to stop, and which stage to use (section 3.4)."""

from collections.abc import Callable

import numpy as np

from rts_tf.data.shards import ShardSet
from rts_tf.errors import ConfigError, printable
from rts_tf.training.mos_validation import images_for_mos

LARGE = 1e6  # pixels; VIQET was made for images of some megapixels, and scores small ones low


def choose_criterion(judge: str, source: ShardSet, say: Callable[[str], None]) -> str:
    """How a stage is selected: ``"mos"``, or ``"delta"`` and the reason for it.

    Args:
        judge: The setting: ``"mos"``, ``"delta"`` or ``"auto"``, which is ``"mos"`` where half of
            the images or more have a megapixel.
        source: The validation images.
        say: Called with a line about what the setting does not tell.

    Raises:
        ConfigError: The setting is ``"mos"``, and VIQET can measure none of the images.
    """
    if judge == "delta":
        return "delta, as the settings ask"
    measurable = images_for_mos(source)
    areas = [height * width for height, width in source.sizes.values()]
    if judge == "auto" and (np.median(areas) < LARGE or not measurable):
        reason = (
            "delta, since most validation images are below a megapixel, where MOS means little"
            " (`judge`=mos measures it)"
        )
        say(f"stages are selected by {reason}")
        return reason
    if not measurable:
        raise ConfigError(
            "`judge`=mos: every validation image is too long and narrow for VIQET; use"
            " `judge`=delta."
        )
    if left_out := sorted(set(source.sizes) - set(measurable)):
        names = ", ".join(left_out)
        say(printable(f"too long and narrow for VIQET, so without MOS: {names}"))
    return "mos"


def turned_upward(history: list[dict]) -> bool:
    """Whether the last stage changed the images more than the one before (second criterion)."""
    if len(history) < 2:
        return False
    before, last = (metrics["step_difference_percent"] for metrics in history[-2:])
    return last > before


def select(history: list[dict], by_mos: bool) -> tuple[int, str]:
    """The stage to use, and the reason.

    By MOS this is the stage with the best MOS (first criterion) among those that do not harm
    compressed images: at half strength they bring a JPEG crop no further from the original. If all
    do harm, as where LR is never compressed after the reduction, the MOS alone decides. The raw MOS
    is compared, since small images lie below the bound of the MOS. Without MOS it is the stage
    whose HR_n is nearest to HR_{n-1} (second criterion).
    """
    if by_mos:
        harmless = [metrics for metrics in history if _is_harmless(metrics)]
        best = max(harmless or history, key=lambda metrics: metrics["mos_raw"])
        among = "is the best"
        if not harmless:
            among = "is the best, though every stage harms compressed images"
        elif len(harmless) < len(history):
            among = "is the best among the stages that do not harm compressed images"
        reason = (
            f"its MOS on the validation images {among} ({best['mos_raw']:.3f}; section 3.4, first"
            " criterion)"
        )
        return best["stage"], reason
    best = min(history, key=lambda metrics: metrics["step_difference_percent"])
    change = f"mean|HR_n - HR_(n-1)| = {best['step_difference_percent']:.3f} %"
    reason = (
        f"the validation images changed least in this stage ({change}; section 3.4, second"
        " criterion)"
    )
    return best["stage"], reason


def _is_harmless(metrics: dict) -> bool:
    """Whether a stage harms compressed images. Stages of earlier versions were not measured."""
    return metrics.get("coded_psnr_gain_db", 0.0) >= 0
