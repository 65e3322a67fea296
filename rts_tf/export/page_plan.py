"""A program as the page's scripts read it: steps as plain values, and one array of weights."""

from typing import Any

import numpy as np

from rts_tf.errors import ConfigError
from rts_tf.export import passes
from rts_tf.export.downscale import halving_kernels
from rts_tf.export.program import Program
from rts_tf.images.resample import D_RADIUS

# A shader of WebGL2 or WebGPU reads 16 textures.
MOST_SOURCES = 16


class Weights:
    """Kernels and biases one behind the other."""

    def __init__(self) -> None:
        self._arrays: list[np.ndarray] = []
        self._count = 0

    def add(self, array: np.ndarray) -> int:
        """Append an array; returns the place of its first value."""
        place = self._count
        self._arrays.append(np.asarray(array, "<f4").ravel())
        self._count += array.size
        return place

    def tobytes(self) -> bytes:
        """All values, float32, the lowest byte first."""
        return b"".join(array.tobytes() for array in self._arrays)


def check(program: Program) -> None:
    """Check that the page can compute a program.

    Raises:
        ConfigError: It doubles the size, or a step reads too many tensors.
    """
    if program.scale != 1:
        raise ConfigError(
            f"network {program.name}: the page compares images of one size, and this head makes"
            f" them {program.scale} times as large; write the page from the head enhance"
        )
    for each in program.passes:
        if len(each.sources) > MOST_SOURCES:
            raise ConfigError(
                f"network {program.name}, layer {each.name}: it reads {len(each.sources)} tensors,"
                f" and a shader at most {MOST_SOURCES} at once; leave out the page"
            )


def described(program: Program, weights: Weights) -> dict[str, Any]:
    """Describe a program.

    Args:
        program: One that passes :func:`check`.
        weights: Its weights are appended.

    Returns:
        What ``page/network.js`` takes. Each step has its name, kind, sources, channels, those of
        its sources (``inputs``), and its ``scale``, the pixels of its tensor along each side for
        each pixel of the image.
    """
    channels, scales = {passes.INPUT: program.channels}, {passes.INPUT: 1.0}
    steps = []
    for each in program.passes:
        for step in _steps(each, weights):
            step["inputs"] = [channels[name] for name in step["sources"]]
            step["scale"] = scales[step["sources"][0]] * step.pop("factor", 1)
            channels[step["name"]], scales[step["name"]] = step["channels"], step["scale"]
            steps.append(step)
    return {
        "name": program.name,
        "label": f"{program.name.replace('_', '-')}, {program.macs:,} multiplications a pixel",
        "channels": program.channels,
        "radius": program.receptive_radius,
        "multiple": program.multiple,
        "steps": steps,
    }


def _steps(each: passes.Pass, weights: Weights) -> list[dict[str, Any]]:
    """The steps of one pass."""
    step: dict[str, Any] = {
        "name": each.name,
        "sources": list(each.sources),
        "channels": each.channels,
    }
    match each:
        case passes.Border():
            return [step | {"kind": "border", "pixels": each.pixels}]
        case passes.Convolution():
            return [step | _convolution(each.kernel, each.bias, each.relu, weights)]
        case passes.Sum():
            return [step | {"kind": "sum", "relu": each.relu}]
        case passes.Join():
            return [step | {"kind": "join"}]
        case passes.PackPixels():
            return [step | {"kind": "pack", "block": each.block, "factor": 1 / each.block}]
        case passes.UnpackPixels():
            return [step | {"kind": "unpack", "block": each.block, "factor": each.block}]
        case passes.Cut():
            return [step | {"kind": "cut", "pixels": each.pixels}]
        case passes.Halve():
            return _halved(step, weights)
    raise ConfigError(f"layer {each.name}: the page has no step for it; leave out the page")


def _convolution(
    kernel: np.ndarray, bias: np.ndarray, relu: bool, weights: Weights
) -> dict[str, Any]:
    height, width, _, _ = kernel.shape
    return {
        "kind": "convolution",
        "height": height,
        "width": width,
        "kernel": weights.add(kernel),
        "bias": weights.add(bias),
        "relu": relu,
    }


def _halved(step: dict[str, Any], weights: Weights) -> list[dict[str, Any]]:
    """d() along and then across the lines.

    ``taps`` are the sums of the weights of each tap: beyond the image none counts, and the sum is
    divided by that of the others.
    """
    along, across = halving_kernels()
    taps = along[0, :, :, 0].sum(axis=1, dtype=np.float64)
    shared = {"taps": taps.tolist(), "reach": D_RADIUS}
    lines = f"{step['name']}_lines"
    first = step | {"name": lines, "channels": 6} | shared
    second = step | {"sources": [lines]} | shared
    return [
        first | _convolution(along, np.zeros(6), False, weights),
        second | _convolution(across, np.zeros(3), False, weights),
    ]
