"""TFLite files: run one with LiteRT, and read what it is made of. TensorFlow is not imported, as it is not on a device."""

import os
import pathlib
from collections.abc import Callable

import numpy as np

from rts_tf.errors import RtsError
from rts_tf.exporting.measuring import measured

THREADS = min(4, os.cpu_count() or 1)
RADIUS = "receptive_radius"  # the metadata that says it, as decimal digits


def opened(path: pathlib.Path, signature: str) -> Callable[[np.ndarray], np.ndarray]:
    """What runs a file of ``rts_tf.exporting.tflite`` on a frame, uint8 [H, W, 3] to uint8 or float32."""
    from ai_edge_litert.interpreter import Interpreter

    runner = Interpreter(model_path=str(path), num_threads=THREADS).get_signature_runner(signature)
    integers = runner.get_input_details()["image"]["dtype"] == np.uint8

    def function(frame: np.ndarray) -> np.ndarray:
        image = frame if integers else frame.astype(np.float32) / np.float32(255)
        (output,) = runner(image=image[None]).values()
        return output[0]

    return function


def operations_and_macs(data: bytes) -> tuple[list[str], int]:
    """The operations of a TFLite file in order, and the multiplications with a weight that its convolutions take.

    Of a file of any size the second is 0. Raises RtsError if an operation is not built in.
    """
    from ai_edge_litert import schema_py_generated as schema

    names = {code: name for name, code in vars(schema.BuiltinOperator).items() if isinstance(code, int)}
    model = schema.ModelT.InitFromObj(schema.Model.GetRootAsModel(data, 0))
    graph, operations, macs = model.subgraphs[0], [], 0
    for operator in graph.operators:
        code = model.operatorCodes[operator.opcodeIndex]
        name = names[max(code.builtinCode, code.deprecatedBuiltinCode)]
        if name == "CUSTOM":
            raise RtsError(f"the operation {code.customCode} is not built into TFLite")
        operations.append(name)
        shapes = [graph.tensors[i].shape.astype(np.int64) for i in [*operator.inputs[:3], operator.outputs[0]]]
        if name == "CONV_2D":
            macs += int(shapes[-1][:3].prod() * shapes[1].prod())
        if name == "TRANSPOSE_CONV":
            macs += int(shapes[2][:3].prod() * shapes[1].prod())
    return operations, macs


def with_radius(data: bytes, radius: int) -> bytes:
    """A TFLite file that says how far its network looks, in input pixels: who cuts tiles on a device has only the file."""
    import flatbuffers
    from ai_edge_litert import schema_py_generated as schema

    model = schema.ModelT.InitFromObj(schema.Model.GetRootAsModel(data, 0))
    model.metadata = [*(model.metadata or []), schema.MetadataT(name=RADIUS, buffer=len(model.buffers))]
    model.buffers.append(schema.BufferT(data=np.frombuffer(str(radius).encode(), np.uint8)))
    builder = flatbuffers.Builder(len(data))
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


if __name__ == "__main__":
    measured(opened)
