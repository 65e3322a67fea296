"""Reads what a TFLite file consists of, and changes what the converter has no setting for.

TensorFlow is not imported. Neither is LiteRT before a function needs its schema.
"""

from types import ModuleType
from typing import Any

import numpy as np

from rts_tf.errors import RtsError

# Names of metadata entries; their values are decimal digits.
RADIUS = "receptive_radius"
PACK = "pack"


def operations_and_macs(data: bytes) -> tuple[list[str], int]:
    """Read the operations of a TFLite file.

    Returns:
        The names of the operations in order, and the MACs by weights of the convolutions for a
        frame, zeros among the weights included. For a file of any size the MACs mean nothing.

    Raises:
        RtsError: if an operation is not built into TFLite.
    """
    names = {
        code: name
        for name, code in vars(_schema().BuiltinOperator).items()
        if isinstance(code, int)
    }
    model = _read(data)
    graph = model.subgraphs[0]
    operations: list[str] = []
    macs = 0
    for operator in graph.operators:
        code = model.operatorCodes[operator.opcodeIndex]
        name = names[_builtin(code)]
        if name == "CUSTOM":
            raise RtsError(f"the operation {code.customCode} is not built into TFLite")
        operations.append(name)
        tensors = [*operator.inputs[:3], operator.outputs[0]]
        shapes = [graph.tensors[i].shape.astype(np.int64) for i in tensors]
        if name == "CONV_2D":
            macs += int(shapes[-1][:3].prod() * shapes[1].prod())
        if name == "TRANSPOSE_CONV":
            macs += int(shapes[2][:3].prod() * shapes[1].prod())
    return operations, macs


def with_radius(data: bytes, radius: int, pack: int | None = None) -> bytes:
    """Add the receptive radius, in input pixels, to the metadata of a TFLite file.

    A program that cuts tiles on a device has only the file to read it from.

    Args:
        data: the contents of the file.
        radius: the receptive radius.
        pack: for a file that tells the pixels of a block apart, the side of a block. Tiles must
            begin at multiples of it, so it is added as well.
    """
    schema, model = _schema(), _read(data)
    for name, value in {RADIUS: radius, PACK: pack}.items():
        if value is not None:
            entry = schema.MetadataT(name=name, buffer=len(model.buffers))
            model.metadata = [*(model.metadata or []), entry]
            digits = np.frombuffer(str(value).encode(), np.uint8)
            model.buffers.append(schema.BufferT(data=digits))
    return _written(model)


def with_ends_for_xnnpack(data: bytes) -> bytes:
    """Let values pass between uint8 and int8 by way of float32, which changes none of them.

    The converter makes one QUANTIZE of it. XNNPACK has that operation from float32 only, so LiteRT
    runs its own between two integer types, one value at a time: 1.4 ms for a plane of 1080p.
    DEQUANTIZE and QUANTIZE in its place take .2 ms.

    Args:
        data: the contents of a file that has no other QUANTIZE operations.
    """
    schema, model = _schema(), _read(data)
    graph, made, kinds = model.subgraphs[0], [], schema.BuiltinOperator
    for operator in graph.operators:
        if _builtin(model.operatorCodes[operator.opcodeIndex]) == kinds.QUANTIZE:
            source, between = graph.tensors[operator.inputs[0]], len(graph.tensors)
            graph.tensors.append(
                schema.TensorT(
                    shape=source.shape,
                    shapeSignature=source.shapeSignature,
                    type=schema.TensorType.FLOAT32,
                    name=f"float_{between}",
                )
            )
            floating = schema.OperatorT(
                opcodeIndex=len(model.operatorCodes),  # of DEQUANTIZE, which is appended below
                inputs=operator.inputs,
                outputs=np.array([between], np.int32),
            )
            operator.inputs = floating.outputs
            made.append(floating)
        made.append(operator)
    graph.operators = made
    model.operatorCodes.append(
        schema.OperatorCodeT(
            builtinCode=kinds.DEQUANTIZE, deprecatedBuiltinCode=kinds.DEQUANTIZE, version=2
        )
    )
    return _written(model)


def with_nominal_sides(data: bytes, side: int) -> bytes:
    """Write ``side`` where a file for frames of any size has 1 for an unknown height or width.

    XNNPACK looks at these numbers before LiteRT replaces them, and leaves SPACE_TO_DEPTH alone
    unless blocks divide them.
    """
    model = _read(data)
    for tensor in model.subgraphs[0].tensors:
        if tensor.shapeSignature is not None:
            tensor.shape = np.where(tensor.shapeSignature < 0, side, tensor.shapeSignature)
    return _written(model)


def _schema() -> ModuleType:
    from ai_edge_litert import schema_py_generated

    return schema_py_generated


def _builtin(code: Any) -> int:
    """The number of a builtin operation; old files have it in a field of seven bits."""
    return max(code.builtinCode, code.deprecatedBuiltinCode)


def _read(data: bytes) -> Any:
    schema = _schema()
    return schema.ModelT.InitFromObj(schema.Model.GetRootAsModel(data, 0))


def _written(model: Any) -> bytes:
    import flatbuffers

    builder = flatbuffers.Builder()
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())
