"""The passes that a network consists of, for what writes a format: a pass makes one tensor.

:func:`rts_tf.export.program.program_of` makes the list of them from the layers of a network. What
writes a format goes through that list in order and knows nothing of Keras.

The border is a pass of its own. The image is enlarged by its outermost pixels first
(:mod:`rts_tf.networks.borders`), and what is computed beyond the image is cut off at the end. So
what a convolution reads beyond its tensor never counts, be it zeros, repeated pixels or anything
finite. :class:`Halve` is the exception and says so.
"""

import dataclasses

import numpy as np

# The names of the tensors that go in and come out. Others are named after the layers of a network.
INPUT, OUTPUT = "rts_image", "rts_output"


@dataclasses.dataclass(frozen=True)
class Pass:
    """One step.

    Attributes:
        name: Of the tensor that it makes, [H, W, C].
        sources: The names of the tensors that it reads.
        channels: C.
    """

    name: str
    sources: tuple[str, ...]
    channels: int

    @property
    def source(self) -> str:
        """The tensor that it reads, if it is one."""
        (source,) = self.sources
        return source


@dataclasses.dataclass(frozen=True)
class Border(Pass):
    """Repeat the outermost pixels ``pixels`` times on each side.

    At the bottom and on the right more may be needed, to reach the next multiple of
    :attr:`Program.multiple`.
    """

    pixels: int


@dataclasses.dataclass(frozen=True)
class Convolution(Pass):
    """A convolution of stride 1 that keeps height and width, plus a bias.

    Attributes:
        kernel: float32 [h, w, in, out] with odd h and w, as in TensorFlow (a correlation).
        bias: float32 [out].
        relu: Whether negative results become 0.
    """

    kernel: np.ndarray
    bias: np.ndarray
    relu: bool


@dataclasses.dataclass(frozen=True)
class Sum(Pass):
    """Add tensors of one shape; ``relu`` as in :class:`Convolution`."""

    relu: bool


@dataclasses.dataclass(frozen=True)
class Join(Pass):
    """Concatenate channels."""


@dataclasses.dataclass(frozen=True)
class PackPixels(Pass):
    """space_to_depth: ``block`` x ``block`` pixels become channels, row by row."""

    block: int


@dataclasses.dataclass(frozen=True)
class UnpackPixels(Pass):
    """depth_to_space, which undoes :class:`PackPixels`."""

    block: int


@dataclasses.dataclass(frozen=True)
class Cut(Pass):
    """Cut off what is computed beyond the image: ``pixels`` at the top and on the left.

    Height and width are those of the image times the scale of the tensor.
    """

    pixels: int


@dataclasses.dataclass(frozen=True)
class Halve(Pass):
    """d() of section 3.1 on the four phases of an image of twice the size.

    Its kernels are :func:`rts_tf.export.downscale.halving_kernels`: one along and one across the
    lines, or their product [7, 7, 12, 3]. Here the border counts: the weights beyond the image are
    left out, and those inside are divided by their sum.
    """
