"""Checks a TFLite file before LiteRT opens it, and reads what the export noted in it.

LiteRT verifies that a file is one of its format, but not that its numbers point at something: on
files that were changed in a byte it ended the process with a segmentation fault.
"""

import math
from typing import Any

import numpy as np

# The names under which the export notes whole numbers in the file's metadata
RADIUS, PACK = b"receptive_radius", b"pack"
_MOST_NOTED = {RADIUS: 4096, PACK: 64}
LONGEST_SIDE = 2**14  # of a frame that goes in or out, in pixels
# What is computed in between may take 4 kB for each pixel of the frame, or 64 MB for a small one.
_PIXEL_BYTES, _LEAST_BYTES = 2**12, 2**26
LARGEST_TENSOR = 2**34  # bytes: 64 channels of float32 for a frame of 8192 x 8192
_MOST = 20_000  # entries of a list; the networks of this package have some hundreds
_LONGEST_SHAPE = 8
_NONE = -1  # in place of an optional tensor
# By the numbers of the types in the schema: bytes of a value, and the least and the largest zero
# point. FLOAT32, FLOAT16, INT32, UINT8, INT64, BOOL, INT16, INT8
_TYPES = {
    **{0: (4, 0, 0), 1: (2, 0, 0), 2: (4, 0, 0), 3: (1, 0, 255), 4: (8, 0, 0), 6: (1, 0, 0)},
    **{7: (2, -(2**15), 2**15 - 1), 9: (1, -128, 127)},
}
_QUANTIZED = {7, 9}  # these two are never plain numbers here
_STEPS = (1e-12, 256.0)  # between these lie the steps of all integers
# CUSTOM, DELEGATE, IF, WHILE and CALL_ONCE: they name code or graphs
_FOREIGN = {32, 51, 118, 119, 129}


def checked_notes(data: bytes) -> dict[bytes, int]:
    """Check the contents of a file, and return the whole numbers that the export noted.

    Raises:
        Exception: The file is damaged, or asks for more memory than a network for images takes.
            The schema's own classes raise errors of many types.
    """
    from ai_edge_litert import schema_py_generated as schema

    if data[4:8] != b"TFL3":
        raise ValueError("it is no TFLite file")
    model = schema.Model.GetRootAsModel(data, 0)
    buffers = _count(model.BuffersLength())
    codes = _count(model.OperatorCodesLength())
    graphs = _count(model.SubgraphsLength())
    if not buffers or not codes or not graphs:
        raise ValueError("it holds no network")
    for i in range(codes):
        code = model.OperatorCodes(i)
        if max(code.BuiltinCode(), code.DeprecatedBuiltinCode()) in _FOREIGN:
            raise ValueError("it has an operation that no network here has")
    sizes = [model.Buffers(i).DataLength() for i in range(buffers)]
    for i in range(graphs):
        _check_graph(model.Subgraphs(i), sizes, codes)
    for i in range(_count(model.SignatureDefsLength())):
        _check_signature(model, model.SignatureDefs(i), graphs)
    return _notes(model, buffers)


def _count(count: int) -> int:
    if not 0 <= count <= _MOST:
        raise ValueError(f"a list of {count} entries")
    return count


def _check_index(index: int, count: int, what: str, least: int = 0) -> None:
    if not least <= index < count:
        raise ValueError(f"it names {what} {index} of {count}")


def _check_graph(graph: Any, sizes: list[int], codes: int) -> None:
    """Check the tensors and operations of a graph."""
    tensors = _count(graph.TensorsLength())
    for i in range(tensors):
        _check_index(graph.Tensors(i).Buffer(), len(sizes), "buffer")
        _check_quantization(graph.Tensors(i))
    frames = [graph.Inputs(i) for i in range(_count(graph.InputsLength()))]
    for i in frames:
        _check_made(graph, i, tensors, sizes)
    frames += [graph.Outputs(i) for i in range(_count(graph.OutputsLength()))]
    for i in frames:
        _check_index(i, tensors, "tensor")
    pixels = max((_frame_pixels(graph.Tensors(i)) for i in frames), default=0)
    most = min(LARGEST_TENSOR, max(_LEAST_BYTES, _PIXEL_BYTES * pixels))
    for i in range(tensors):
        _check_shape(graph.Tensors(i), sizes[graph.Tensors(i).Buffer()], most)
    for i in range(_count(graph.OperatorsLength())):
        operation = graph.Operators(i)
        _check_index(operation.OpcodeIndex(), codes, "operation")
        for j in range(_count(operation.InputsLength())):
            _check_index(operation.Inputs(j), tensors, "tensor", _NONE)
        for j in range(_count(operation.OutputsLength())):
            _check_made(graph, operation.Outputs(j), tensors, sizes)


def _check_made(graph: Any, index: int, tensors: int, sizes: list[int]) -> None:
    """Check a tensor that is written: the file must not hold it as a constant."""
    _check_index(index, tensors, "tensor")
    if sizes[graph.Tensors(index).Buffer()]:
        raise ValueError(f"tensor {index} is a constant, and is written")


def _shape(tensor: Any) -> list[int]:
    """The shape of a tensor; if it is far too long, its beginning."""
    return [tensor.Shape(i) for i in range(min(tensor.ShapeLength(), _LONGEST_SHAPE + 1))]


def _frame_pixels(tensor: Any) -> int:
    """The pixels of a frame [1, H, W, C] that goes in or out; 0 if it is something else."""
    shape = _shape(tensor)
    if len(shape) != 4:
        return 0
    if not all(0 <= side <= LONGEST_SIDE for side in shape[1:3]):
        sides = f"{shape[1]} x {shape[2]} pixels"
        raise ValueError(f"a frame of {sides}, of which no side may be above {LONGEST_SIDE}")
    return shape[1] * shape[2]


def _check_shape(tensor: Any, stored: int, most: int) -> None:
    """Check the sides of a tensor, and that what is stored of it is all of it.

    Args:
        stored: The bytes that the file holds of it; 0 if it is computed.
        most: The bytes that it may have if it is computed.
    """
    rank, shape = tensor.ShapeLength(), _shape(tensor)
    signature = tensor.ShapeSignatureLength()
    if len(shape) > _LONGEST_SHAPE or min(shape, default=0) < 0 or signature not in (0, rank):
        raise ValueError(f"a tensor of the shape {shape}")
    if tensor.Type() not in _TYPES:
        raise ValueError(f"a tensor of type {tensor.Type()}")
    size = math.prod(shape) * _TYPES[tensor.Type()][0]
    if size > most or stored not in (0, size):
        raise ValueError(f"a tensor of the shape {shape}, which cannot be")


def _check_quantization(tensor: Any) -> None:
    """Check that steps and zero points are as many."""
    found = tensor.Quantization()
    if tensor.Type() in _QUANTIZED and (found is None or not found.ScaleLength()):
        raise ValueError("integers without a step")
    if found is None:
        return
    scales, zeros = found.ScaleLength(), found.ZeroPointLength()
    steps = found.ScaleAsNumpy() if _count(scales) else np.ones(1)
    if zeros not in (0, scales) or not (steps > _STEPS[0]).all() or not (steps < _STEPS[1]).all():
        raise ValueError("steps of integers that cannot be")
    _, least, most = _TYPES[tensor.Type()]
    points = found.ZeroPointAsNumpy() if zeros else np.zeros(1)
    if points.min() < least or points.max() > most:
        raise ValueError("zero points beyond their type")
    rank = max(1, tensor.ShapeLength())
    if scales > 1:
        _check_index(found.QuantizedDimension(), rank, "dimension")


def _check_signature(model: Any, signature: Any, graphs: int) -> None:
    number = signature.SubgraphIndex()
    _check_index(number, graphs, "graph")
    tensors = model.Subgraphs(number).TensorsLength()
    signature.SignatureKey().decode()
    for i in range(_count(signature.InputsLength())):
        entry = signature.Inputs(i)
        entry.Name().decode()
        _check_index(entry.TensorIndex(), tensors, "tensor")
    for i in range(_count(signature.OutputsLength())):
        entry = signature.Outputs(i)
        entry.Name().decode()
        _check_index(entry.TensorIndex(), tensors, "tensor")


def _notes(model: Any, buffers: int) -> dict[bytes, int]:
    notes = {}
    for i in range(_count(model.MetadataLength())):
        entry = model.Metadata(i)
        _check_index(entry.Buffer(), buffers, "buffer")
        name = entry.Name()
        if name in _MOST_NOTED:
            value = int(model.Buffers(entry.Buffer()).DataAsNumpy().tobytes())
            if not (name == PACK) <= value <= _MOST_NOTED[name]:
                raise ValueError(f"its {name.decode()} is {value}")
            notes[name] = value
    return notes
