"""A network that ends in a convolution and a pixel shuffle, split before that convolution.

The passes before it are the body of the network. TFLite files have them all, and what follows
differs from file to file (:mod:`rts_tf.export.traced`).
"""

from typing import NamedTuple

import keras

from rts_tf.errors import ConfigError
from rts_tf.export import tensors
from rts_tf.export.passes import Convolution, Pass, Sum, UnpackPixels
from rts_tf.export.program import BORDERED, program_of

IMAGE_CHANNELS = 12  # a tensor of at most this many channels is an image, or its four phases
PHASES = 12  # channels of the last convolution: four phases of three colours
KERNEL_SIZE = 3  # pixels a side that the last convolution reads


class ImageResidual(NamedTuple):
    """What is added to the image itself, the "blue layer" of Fig. 3."""

    source: Convolution  # that computes it
    total: Sum  # of the image and that


class Body(NamedTuple):
    """The passes before the last convolution of a network, and that convolution.

    Attributes:
        name: That of the network.
        border: Pixels by which the image is enlarged on each side beforehand.
        passes: In the order of computing. The first one reads ``BORDERED``, the image.
        last: The last convolution, from the tensor that the body makes to four phases.
    """

    name: str
    border: int
    passes: tuple[Pass, ...]
    last: Convolution

    @property
    def convolutions(self) -> list[Convolution]:
        """Those of the body."""
        return [each for each in self.passes if isinstance(each, Convolution)]

    @property
    def image_residual(self) -> ImageResidual | None:
        """The sum that the last convolution reads, if a convolution is added to the image there."""
        made = {each.name: each for each in self.passes}
        readers = [name for each in (*self.passes, self.last) for name in each.sources]
        total = made.get(self.last.source)
        if not isinstance(total, Sum) or total.relu or readers.count(total.name) != 1:
            return None
        sources = [made.get(name) for name in total.sources if name != BORDERED]
        if len(total.sources) != 2 or len(sources) != 1:
            return None
        (source,) = sources
        if not isinstance(source, Convolution) or source.relu or readers.count(source.name) != 1:
            return None
        return ImageResidual(source, total)

    def name_of(self, tensor: str) -> str:
        """The name under which a tensor is seen (:mod:`rts_tf.export.tensors`)."""
        return tensors.IMAGE if tensor == BORDERED else tensor


def body_of(network: keras.Model) -> Body:
    """Split the passes of a network.

    Raises:
        ConfigError: A layer has no pass, or the network does not end with a convolution to four
            phases and a 2x PixelShuffle.
    """
    program = program_of(network, "upscale")
    passes = (None, None, *program.passes[1:-1])  # without the border and the cut
    last, unpacking = passes[-2:]
    if (
        not isinstance(last, Convolution)
        or not isinstance(unpacking, UnpackPixels)
        or unpacking.source != last.name
        or (unpacking.block, last.channels, last.relu) != (2, PHASES, False)
        or {*last.kernel.shape[:2]} != {KERNEL_SIZE}
    ):
        raise ConfigError(
            f"{network.name} does not end with a 3x3 convolution and PixelShuffle(2), as residual1"
            " does"
        )
    return Body(network.name, program.receptive_radius, program.passes[1:-3], last)


def sources_of_convolutions(body: Body) -> dict[str, str]:
    """Return the convolutions before the last one, each with the tensor that it reads.

    Returns:
        By the name of a pass the name under which ``traced_head`` visits what it reads.
    """
    return {each.name: body.name_of(each.source) for each in body.convolutions}


def image_sources(body: Body) -> set[str]:
    """Return the names of the tensors from which convolutions compute an image or its phases."""
    convolutions = (*body.convolutions, body.last)
    narrow = [each for each in convolutions if each.channels <= IMAGE_CHANNELS]
    return {body.name_of(each.source) for each in narrow}
