"""Reads what a TFLite file consists of, and notes the receptive radius in its metadata.

TensorFlow is not imported.
"""

import numpy as np

from rts_tf.errors import RtsError

RADIUS = "receptive_radius"  # the name of the metadata entry; its value is decimal digits


def operations_and_macs(data: bytes) -> tuple[list[str], int]:
    """Read the operations of a TFLite file.

    Returns:
        The names of the operations in order, and the MACs by weights of the convolutions for a
        frame, zeros among the weights included. For a file of any size the MACs mean nothing.

    Raises:
        RtsError: if an operation is not built into TFLite.
    """
    from ai_edge_litert import schema_py_generated as schema

    names = {
        code: name for name, code in vars(schema.BuiltinOperator).items() if isinstance(code, int)
    }
    model = schema.ModelT.InitFromObj(schema.Model.GetRootAsModel(data, 0))
    graph = model.subgraphs[0]
    operations: list[str] = []
    macs = 0
    for operator in graph.operators:
        code = model.operatorCodes[operator.opcodeIndex]
        name = names[max(code.builtinCode, code.deprecatedBuiltinCode)]
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


def with_radius(data: bytes, radius: int) -> bytes:
    """Add the receptive radius, in input pixels, to the metadata of a TFLite file.

    A program that cuts tiles on a device has only the file to read it from.
    """
    import flatbuffers
    from ai_edge_litert import schema_py_generated as schema

    model = schema.ModelT.InitFromObj(schema.Model.GetRootAsModel(data, 0))
    entry = schema.MetadataT(name=RADIUS, buffer=len(model.buffers))
    model.metadata = [*(model.metadata or []), entry]
    model.buffers.append(schema.BufferT(data=np.frombuffer(str(radius).encode(), np.uint8)))
    builder = flatbuffers.Builder(len(data))
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())
