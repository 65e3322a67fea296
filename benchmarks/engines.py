"""Says which of several engines is the fastest, from the times that were measured."""


def fastest(what: str, seconds: dict[str, float]) -> str:
    """Name the fastest engine, and how the others compare.

    Args:
        what: they all did.
        seconds: the time of each engine, by its name.

    Returns:
        One line, for example "int8: OpenVINO wins with 90 ms; LiteRT takes 1.33 times as long".
    """
    first, *others = sorted(seconds, key=seconds.__getitem__)
    line = f"{what}: {first} "
    if not others:
        return f"{line}alone was measured, {_milliseconds(seconds[first])}"
    ratios = (f"{name} takes {seconds[name] / seconds[first]:.2f} times as long" for name in others)
    return f"{line}wins with {_milliseconds(seconds[first])}; {', '.join(ratios)}"


def _milliseconds(seconds: float) -> str:
    return f"{1000 * seconds:.3g} ms" if seconds < 1 else f"{1000 * seconds:.0f} ms"
