"""What a shader computes, taken from the passes of a network: layers and what follows them.

A shader keeps the channels of a layer in one texture. Each position of the layer has ``grid``
texels there, columns by rows, each of which holds four channels.
"""

from __future__ import annotations

import re
from typing import NamedTuple

import numpy as np

from rts_tf.errors import ConfigError
from rts_tf.export import passes
from rts_tf.export.program import Program
from rts_tf.export.shader_text import CHANNELS

# Weights. Drivers take minutes to compile shaders of a megabyte, and freeze meanwhile.
MOST_WEIGHTS = 50_000


class Layer(NamedTuple):
    """One convolution.

    Attributes:
        name: That of its texture.
        kernel: float32 [h, w, in, out], where h = w is odd.
        bias: float32 [out].
        relu: Whether negative results become 0.
        source: The layer whose texture it reads; None for the image.
        skip: The layer that is added behind the ReLU, if any.
    """

    name: str
    kernel: np.ndarray
    bias: np.ndarray
    relu: bool
    source: Layer | None
    skip: Layer | None

    @property
    def inputs(self) -> int:
        """Groups of four channels that it reads."""
        return -(-self.kernel.shape[2] // CHANNELS)

    @property
    def groups(self) -> int:
        """Groups of four channels that it makes."""
        return -(-self.kernel.shape[3] // CHANNELS)

    @property
    def radius(self) -> int:
        """Positions on each side that it reads."""
        return self.kernel.shape[0] // 2

    @property
    def grid(self) -> tuple[int, int]:
        """Columns and rows of the texels of a position, as nearly square as it goes."""
        rows = next(n for n in range(int(self.groups**0.5), 0, -1) if self.groups % n == 0)
        return self.groups // rows, rows

    def weights(self, i: int, j: int, source: int, group: int) -> np.ndarray:
        """The weights of one tap between two groups of channels, [in, out], each at most 4."""
        first, to = CHANNELS * source, CHANNELS * group
        return self.kernel[i, j, first : first + CHANNELS, to : to + CHANNELS]

    def biases(self, group: int) -> np.ndarray:
        """The biases of a group of channels, at most 4."""
        return self.bias[CHANNELS * group : CHANNELS * (group + 1)]


class Plan(NamedTuple):
    """A network for a shader.

    Attributes:
        layers: In the order of computing. The last one makes what is added to the image.
        head: The layer of the phases from which d() makes the image, which reads the image after
            that sum; None for a network for luma.
        border: Pixels by which the image is enlarged on each side.
        pack: Pixels a side that become channels of one position.
    """

    layers: tuple[Layer, ...]
    head: Layer | None
    border: int
    pack: int


def plan_of(program: Program) -> Plan:
    """Find the layers in the passes of a network.

    Raises:
        ConfigError: A shader cannot compute the program, or it would be too large.
    """
    weights = sum(each.kernel.size for each in program.passes if hasattr(each, "kernel"))
    if weights > MOST_WEIGHTS:
        raise ConfigError(
            f"network {program.name}: its {weights:,} weights are too many for a shader, which has"
            f" at most {MOST_WEIGHTS:,}, since drivers take minutes to compile more; leave out that"
            " format, or take residual1 or a network for luma such as fast"
        )
    return _Search(program).plan()


class _Search:
    """Goes through the passes of a program; ``made`` are the layers by the names of tensors."""

    def __init__(self, program: Program):
        self._program = program
        self._images: set[str] = set()  # tensors that are the image with its border, packed or not
        self._made: dict[str, Layer] = {}
        self._layers: list[Layer] = []
        self._sum = self._phases = ""  # the tensors of the enhanced image and of the phases

    def plan(self) -> Plan:
        border = pack = None
        ends: list[str] = []
        for each in self._program.passes:
            if isinstance(each, passes.Border) and border is None:
                border = each.pixels
                self._images.add(each.name)
            elif isinstance(each, passes.PackPixels) and each.source in self._images:
                pack = each.block
                self._images = {each.name}
            elif isinstance(each, passes.Convolution):
                self._convolution(each)
            elif isinstance(each, passes.Sum):
                self._add(each)
            elif self._ends(each, [self._sum, self._phases, *ends]):
                ends.append(each.name)
            else:
                raise self._refusal(each)
        head = self._made.get(self._phases)
        layers = tuple(layer for layer in self._layers if layer is not head)
        last = self._program.passes[-1]
        fits = layers and self._sum and (self._program.channels == 3) == (head is not None)
        if not fits or self._program.scale != 1:
            raise self._refusal(last)
        plan = Plan(layers, head, border or 0, pack or 1)
        if plan.border % plan.pack:
            raise self._refusal(last)
        return plan

    def _convolution(self, each: passes.Convolution) -> None:
        rows, columns = each.kernel.shape[:2]
        source = self._made.get(each.source)
        fits = not self._sum and rows == columns and (source or each.source in self._images)
        if self._sum == each.source and self._program.channels == 3 and not self._phases:
            fits = rows == columns == 3 and each.channels == 12 and not each.relu
            self._phases = each.name
        if not fits:
            raise self._refusal(each)
        name = f"RTS_{self._program.name}_{len(self._layers) + 1}".upper()
        name = re.sub(r"[\W_]+", "_", name, flags=re.ASCII)  # a name in GLSL
        self._layers.append(Layer(name, each.kernel, each.bias, each.relu, source, None))
        self._made[each.name] = self._layers[-1]

    def _add(self, each: passes.Sum) -> None:
        """Take the sum of the last layer and of another one, or of the image."""
        last = self._layers[-1] if self._layers else None
        others = [name for name in each.sources if self._made.get(name) is not last]
        if each.relu or last is None or len(others) != 1 or len(each.sources) != 2:
            raise self._refusal(each)
        if others[0] in self._images and not self._sum and not last.relu:
            self._sum = each.name
        elif others[0] in self._made and not self._sum:
            self._layers[-1] = last._replace(skip=self._made[others[0]])
            # Nobody can read it without the sum any more.
            self._made = {name: kept for name, kept in self._made.items() if kept is not last}
            self._made[each.name] = self._layers[-1]
        else:
            raise self._refusal(each)

    def _ends(self, each: passes.Pass, behind: list[str]) -> bool:
        """Whether it is among what follows the layers: unpacking, the cut, and d()."""
        kinds = passes.UnpackPixels | passes.Cut | passes.Halve
        return isinstance(each, kinds) and each.source in behind

    def _refusal(self, each: passes.Pass) -> ConfigError:
        return ConfigError(
            f"network {self._program.name}: {each.name} ({type(each).__name__}) cannot be part of a"
            " shader, which takes networks for luma, such as fast, and the head enhance of"
            " residual1; leave out that format"
        )
