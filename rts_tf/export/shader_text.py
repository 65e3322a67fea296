"""The text of a user shader for mpv and libplacebo: its blocks, and numbers in GLSL."""

import dataclasses
from collections.abc import Iterable, Sequence

import numpy as np

DIGITS = 5  # of a weight: between passes players keep 16-bit floating point, which has 3.3
CHANNELS = 4  # of a texture


@dataclasses.dataclass(frozen=True)
class Block:
    """One pass of the player, with its own program for the GPU.

    Attributes:
        hook: The name of the texture of the player after which it runs.
        title: What the player shows in its list of passes.
        binds: The names of the textures that it reads beside ``HOOKED``.
        save: The name of the texture that it makes; empty if it replaces ``HOOKED``.
        size: Expressions for the width and the height of that texture; empty for those of HOOKED.
        compute: Width and height of what a work group makes, and of the group; empty in a block
            for fragments.
        body: GLSL.
    """

    hook: str
    title: str
    binds: tuple[str, ...]
    save: str
    size: tuple[str, ...]
    compute: tuple[int, ...]
    body: str

    def __str__(self) -> str:
        lines = [f"HOOK {self.hook}", f"DESC {self.title}", "BIND HOOKED"]
        lines += [f"BIND {name}" for name in self.binds]
        if self.save:
            lines += [f"SAVE {self.save}", f"COMPONENTS {CHANNELS}"]
        lines += [f"{side} {value}" for side, value in zip(("WIDTH", "HEIGHT"), self.size)]
        if self.compute:
            lines.append("COMPUTE " + " ".join(map(str, self.compute)))
        return "".join(f"//!{line}\n" for line in lines) + self.body.strip("\n") + "\n"


def texture(name: str, texels: np.ndarray) -> str:
    """Write the block of a texture of constants.

    Args:
        name: Under which blocks bind it.
        texels: float32 [height, width, 4].
    """
    height, width, _ = texels.shape
    digits = texels.astype("<f4").tobytes().hex()
    size = f"//!SIZE {width} {height}\n//!FORMAT rgba32f\n//!FILTER NEAREST\n"
    return f"//!TEXTURE {name}\n{size}{digits}\n"


def number(value: float) -> str:
    """Write a number as a GLSL literal of floating point, as short as it goes."""
    text = f"{value:.{DIGITS}g}"
    mantissa, _, exponent = text.partition("e")
    if "." not in mantissa:
        mantissa += "."
    for sign in ("", "-"):
        if mantissa.startswith(f"{sign}0.") and mantissa != f"{sign}0.":
            mantissa = sign + mantissa[len(sign) + 1 :]
    return mantissa + (f"e{int(exponent)}" if exponent else "")


def vector(values: Iterable[float]) -> str:
    """Write a vec4; missing components are 0."""
    return f"vec4({_numbers(values, CHANNELS)})"


def matrix(kernel: np.ndarray) -> str:
    """Write a mat4 that maps channels to channels; ``kernel`` is [in, out], each at most 4."""
    square = np.zeros((CHANNELS, CHANNELS), np.float32)
    square[: kernel.shape[0], : kernel.shape[1]] = kernel
    return f"mat4({_numbers(square.ravel(), square.size)})"


def _numbers(values: Iterable[float], count: int) -> str:
    written: Sequence[str] = [number(value) for value in values]
    return ",".join([*written, *["0."] * (count - len(written))])
