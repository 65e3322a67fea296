"""The presets of the video encoders, between speed and compression. Needs no FFmpeg."""

_X264 = (
    *("ultrafast", "superfast", "veryfast", "faster", "fast"),
    *("medium", "slow", "slower", "veryslow", "placebo"),
)
# The presets of each codec, from the fastest names and the slowest numbers on
PRESETS: dict[str, tuple[str, ...]] = {
    "h264": _X264,
    "hevc": _X264,  # x265 took over the names
    "vp9": tuple(map(str, range(9))),
    "av1": tuple(map(str, range(14))),
    "ffv1": (),
}
_OPTIONS = {"vp9": "cpu-used"}  # FFmpeg's name of the option, where it is not "preset"


def preset_options(codec: str, preset: str) -> dict[str, str]:
    """Return FFmpeg's options for a preset of a codec; none if ``preset`` is empty."""
    return {_OPTIONS.get(codec, "preset"): preset} if preset else {}


def problem_with(preset: str, *codecs: str) -> str:
    """Say why ``preset`` fits none of ``codecs``.

    Args:
        preset: The name or the number that the user gave; empty for the default.
        codecs: Keys of ``PRESETS``.

    Returns:
        The end of a message, which lists the choices; empty if one of the codecs has the preset.
    """
    if not preset or any(preset in PRESETS[codec] for codec in codecs):
        return ""
    by_choices: dict[tuple[str, ...], list[str]] = {}
    for codec in codecs:
        by_choices.setdefault(PRESETS[codec], []).append(codec)
    return "; ".join(_choices(names, found) for found, names in by_choices.items())


def _choices(codecs: list[str], presets: tuple[str, ...]) -> str:
    which = " and ".join(codecs)
    if not presets:
        return f"{which} has no presets, so leave it out"
    if presets[0].isdecimal():
        return f"for {which} it is a number from {presets[0]} to {presets[-1]}"
    return f"for {which} it is one of {', '.join(presets)}"
