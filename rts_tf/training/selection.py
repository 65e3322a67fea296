"""When to stop, and which stage to use (section 3.4). Knows the metrics of the stages alone."""


def turned_upward(history: list[dict]) -> bool:
    """Whether ||HR_n - HR_{n-1}|| of the last stage is larger than that of the one before (second criterion)."""
    return (
        len(history) > 1
        and history[-1]["step_difference_percent"] > history[-2]["step_difference_percent"]
    )


def select(history: list[dict], by_mos: bool) -> tuple[int, str]:
    """The stage to use, and why: with the best MOS (first criterion), else where HR_n is nearest to HR_{n-1} (second).

    The MOS before it is bounded, since small pictures lie below the bound.
    """
    if by_mos:
        best = max(history, key=lambda metrics: metrics["mos_raw"])
        reason = f"its MOS on the validation pictures is the best ({best['mos_raw']:.3f}; section 3.4, first criterion)"
        return best["stage"], reason
    best = min(history, key=lambda metrics: metrics["step_difference_percent"])
    change = f"mean|HR_n - HR_(n-1)| = {best['step_difference_percent']:.3f} %"
    return (
        best["stage"],
        f"the validation pictures changed least in this stage ({change}; section 3.4, second criterion)",
    )
