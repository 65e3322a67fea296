"""Writes a program as an ONNX file of opset 17, for frames of any size and number.

Two things in it are not obvious. d() leaves out the weights beyond the border and divides by the
sum of the others; a convolution of ones makes that sum, so nothing needs to know the height and the
width. And what a border adds at the start is cut off at the end by constants, so a network that
packs pixels takes frames of whole blocks only.

The package ``onnx`` builds and checks the file. It is imported when a file is asked for.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from rts_tf.errors import ConfigError
from rts_tf.export import OUTPUT_NAME, passes
from rts_tf.export.downscale import halving_kernels
from rts_tf.export.program import Program

if TYPE_CHECKING:
    import onnx

OPSET, IR_VERSION = 17, 8  # version 8 came with opset 17: runtimes since 2022 read the file
INPUT_NAME = {1: "luma", 3: "image"}  # by channels
HEIGHT, WIDTH = 2, 3  # axes


def onnx_file(program: Program, about: Mapping[str, str]) -> bytes:
    """Write an ONNX file.

    Args:
        program: The passes.
        about: Entries of the metadata beside those that the program has (:func:`metadata`), such
            as source and licence.

    Returns:
        The contents of the file, which the checker of ONNX has passed. It has one input, "image" or
        "luma", float32 [batch, C, H, W], and one output, "enhanced" or "upscaled", float32 [batch,
        C, scale * H, scale * W], both nominally in [0, 1]; the output is not clipped. H and W must
        be multiples of ``program.multiple``.

    Raises:
        ConfigError: The package ``onnx`` is not installed, or the program has a pass that ONNX
            files do not hold.
    """
    if absent := missing():
        raise ConfigError(f"`formats`=onnx: {absent}.")
    for each in program.passes:
        if type(each) not in _WRITERS:
            raise ConfigError(
                f"`formats`=onnx: the pass {each.name} ({type(each).__name__}) of {program.name}"
                " cannot be written to ONNX; leave out that format"
            )
    return _Graph(program).file(metadata(program) | dict(about))


def missing() -> str:
    """Say what has to be installed to write ONNX files; empty if everything is there."""
    if importlib.util.find_spec("onnx"):
        return ""
    return "needs the package onnx: pip install onnx (the extra 'onnx')"


def metadata(program: Program) -> dict[str, str]:
    """What a file says about its program.

    Returns:
        "network"; "receptive_radius", the pixels of the input on each side that a pixel of the
        output depends on, and "receptive_field", the side of the square of them; "scale";
        "multiple", of which height and width must be multiples; "colour", "layout" and
        "value_range" of input and output; and "macs", the multiplications with weights for each
        pixel of the input.
    """
    radius = program.receptive_radius
    return {
        "network": program.name,
        "receptive_radius": str(radius),
        "receptive_field": str(2 * radius + 1),
        "scale": str(program.scale),
        "multiple": str(program.multiple),
        "colour": "luma" if program.channels == 1 else "RGB",
        "layout": "NCHW float32",
        "value_range": "black is 0 and white is 1; the output is not clipped",
        "macs": str(program.macs + _macs_more(program)),
    }


def _macs_more(program: Program) -> int:
    """What d() costs for each pixel in a file, beyond what it costs as two convolutions."""
    if not any(isinstance(each, passes.Halve) for each in program.passes):
        return 0
    kernels = _halving_kernel(), _kernel_of_ones(program.channels)
    return sum(each.size for each in kernels) - sum(each.size for each in halving_kernels())


def _halving_kernel() -> np.ndarray:
    """Return d() as one convolution, [7, 7, 12, 3]."""
    along, across = (kernel.astype(np.float64) for kernel in halving_kernels())
    return np.einsum("jck,iko->ijco", along[0], across[:, 0])


def _kernel_of_ones(channels: int) -> np.ndarray:
    """Return the kernel [7, 7, channels, 1] that adds the weights of d() inside the image.

    It reads ones of so many channels, and uses the first one.
    """
    weights = _halving_kernel()[..., 0].sum(2)
    kernel = np.zeros((*weights.shape, channels, 1))
    kernel[:, :, 0, 0] = weights
    return kernel


class _Graph:
    """The nodes and constants of a file, which the writers of passes add to."""

    def __init__(self, program: Program):
        self.program = program
        self.input = INPUT_NAME[program.channels]
        self.output = OUTPUT_NAME["enhance" if program.scale == 1 else "upscale"]
        self._nodes: list[onnx.NodeProto] = []
        self._constants: dict[str, onnx.TensorProto] = {}
        for each in program.passes:
            _WRITERS[type(each)](self, each)

    def tensor(self, name: str) -> str:
        """The name in the file of a tensor of the program."""
        ends = {passes.INPUT: self.input, passes.OUTPUT: self.output}
        return ends.get(name, f"{self.program.name}/{name}")  # a layer may have the name of an end

    def constant(self, name: str, values: Any, kind: type = np.float32) -> str:
        """Add a constant; returns its name."""
        from onnx import numpy_helper

        self._constants[name] = numpy_helper.from_array(np.ascontiguousarray(values, kind), name)
        return name

    def add(self, operation: str, inputs: Sequence[str], output: str, **settings: Any) -> str:
        """Add a node, named after its output; returns that name."""
        from onnx import helper

        self._nodes.append(helper.make_node(operation, inputs, [output], output, **settings))
        return output

    def convolve(self, inputs: Sequence[str], output: str, kernel: np.ndarray) -> str:
        """Add a convolution by a kernel [h, w, in, out] that keeps height and width."""
        down, right = (size // 2 for size in kernel.shape[:2])
        weights = self.constant(f"{output}/kernel", kernel.transpose(3, 2, 0, 1))
        return self.add(
            "Conv",
            [inputs[0], weights, *inputs[1:]],
            output,
            kernel_shape=kernel.shape[:2],
            pads=[down, right, down, right],
        )

    def file(self, entries: Mapping[str, str]) -> bytes:
        """Put the file together and check it; ``entries`` are its metadata."""
        import onnx
        from onnx import helper

        program, scale = self.program, self.program.scale
        sizes = [side if scale == 1 else f"{scale} * {side}" for side in ("height", "width")]
        entry, result = (
            helper.make_tensor_value_info(
                name, onnx.TensorProto.FLOAT, ["batch", program.channels, *sides]
            )
            for name, sides in ((self.input, ["height", "width"]), (self.output, sizes))
        )
        constants = list(self._constants.values())
        graph = helper.make_graph(self._nodes, program.name, [entry], [result], constants)
        made = helper.make_model(
            graph,
            producer_name="rts_tf",
            opset_imports=[helper.make_opsetid("", OPSET)],
            ir_version=IR_VERSION,
        )
        helper.set_model_props(made, dict(sorted(entries.items())))
        onnx.checker.check_model(made, full_check=True)
        return made.SerializeToString(deterministic=True)


def _border(graph: _Graph, each: passes.Border) -> None:
    source, name, pixels = graph.tensor(each.source), graph.tensor(each.name), each.pixels
    if not pixels:
        graph.add("Identity", [source], name)
        return
    pads = graph.constant(f"{name}/pads", [0, 0, pixels, pixels] * 2, np.int64)
    graph.add("Pad", [source, pads], name, mode="edge")


def _cut(graph: _Graph, each: passes.Cut) -> None:
    source, name, pixels = graph.tensor(each.source), graph.tensor(each.name), each.pixels
    if not pixels:
        graph.add("Identity", [source], name)
        return
    limits = [
        graph.constant(f"{name}/{what}", values, np.int64)
        for what, values in (
            ("starts", [pixels] * 2),
            ("ends", [-pixels] * 2),
            ("axes", [HEIGHT, WIDTH]),
        )
    ]
    graph.add("Slice", [source, *limits], name)


def _convolution(graph: _Graph, each: passes.Convolution) -> None:
    name = graph.tensor(each.name)
    bias = graph.constant(f"{name}/bias", each.bias)
    output = f"{name}/linear" if each.relu else name
    graph.convolve([graph.tensor(each.source), bias], output, each.kernel)
    if each.relu:
        graph.add("Relu", [output], name)


def _sum(graph: _Graph, each: passes.Sum) -> None:
    name, total = graph.tensor(each.name), graph.tensor(each.sources[0])
    output = f"{name}/linear" if each.relu else name
    last = len(each.sources) - 1
    for number, source in enumerate(each.sources[1:], start=1):
        partial = output if number == last else f"{name}/{number}"
        total = graph.add("Add", [total, graph.tensor(source)], partial)
    if each.relu:
        graph.add("Relu", [output], name)


def _join(graph: _Graph, each: passes.Join) -> None:
    sources = [graph.tensor(source) for source in each.sources]
    graph.add("Concat", sources, graph.tensor(each.name), axis=1)


def _pack(graph: _Graph, each: passes.PackPixels) -> None:
    source, name = graph.tensor(each.source), graph.tensor(each.name)
    graph.add("SpaceToDepth", [source], name, blocksize=each.block)


def _unpack(graph: _Graph, each: passes.UnpackPixels) -> None:
    source, name = graph.tensor(each.source), graph.tensor(each.name)
    graph.add("DepthToSpace", [source], name, blocksize=each.block, mode="DCR")


def _halve(graph: _Graph, each: passes.Halve) -> None:
    name = graph.tensor(each.name)
    one = graph.constant(f"{name}/one", 1)
    # The input of the file has the height and the width of the phases, and fewer channels.
    ones = graph.add("Clip", [graph.tensor(passes.INPUT), one, one], f"{name}/ones")
    sums = graph.convolve([ones], f"{name}/sums", _kernel_of_ones(graph.program.channels))
    halved = graph.convolve([graph.tensor(each.source)], f"{name}/halved", _halving_kernel())
    graph.add("Div", [halved, sums], name)


_WRITERS: dict[type[passes.Pass], Callable[[_Graph, Any], None]] = {
    passes.Border: _border,
    passes.Cut: _cut,
    passes.Convolution: _convolution,
    passes.Sum: _sum,
    passes.Join: _join,
    passes.PackPixels: _pack,
    passes.UnpackPixels: _unpack,
    passes.Halve: _halve,
}
