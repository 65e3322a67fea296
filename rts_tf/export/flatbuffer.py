"""What a TFLite file is made of, and the receptive radius in its metadata. TensorFlow is not imported."""

import numpy as np

from rts_tf.errors import RtsError


def operations_and_macs(data: bytes) -> tuple[list[str], int]:
    """The operations of a TFLite file in order, and the multiplications with a weight that its convolutions take.

    Of a file of any size the second is 0. Raises RtsError if an operation is not built in.
    """
    from ai_edge_litert import schema_py_generated as schema

    names = {
        code: name for name, code in vars(schema.BuiltinOperator).items() if isinstance(code, int)
    }
    model = schema.ModelT.InitFromObj(schema.Model.GetRootAsModel(data, 0))
    graph, operations, macs = model.subgraphs[0], [], 0
    for operator in graph.operators:
        code = model.operatorCodes[operator.opcodeIndex]
        name = names[max(code.builtinCode, code.deprecatedBuiltinCode)]
        if name == "CUSTOM":
            raise RtsError(f"the operation {code.customCode} is not built into TFLite")
        operations.append(name)
        shapes = [
            graph.tensors[i].shape.astype(np.int64)
            for i in [*operator.inputs[:3], operator.outputs[0]]
        ]
        if name == "CONV_2D":
            macs += int(shapes[-1][:3].prod() * shapes[1].prod())
        if name == "TRANSPOSE_CONV":
            macs += int(shapes[2][:3].prod() * shapes[1].prod())
    return operations, macs


RADIUS = "receptive_radius"  # the name of the metadata entry; its value is decimal digits


def with_radius(data: bytes, radius: int) -> bytes:
    """A TFLite file that says how far its network looks, in input pixels: who cuts tiles on a device has only the file."""
    import flatbuffers
    from ai_edge_litert import schema_py_generated as schema

    model = schema.ModelT.InitFromObj(schema.Model.GetRootAsModel(data, 0))
    model.metadata = [
        *(model.metadata or []),
        schema.MetadataT(name=RADIUS, buffer=len(model.buffers)),
    ]
    model.buffers.append(schema.BufferT(data=np.frombuffer(str(radius).encode(), np.uint8)))
    builder = flatbuffers.Builder(len(data))
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())
