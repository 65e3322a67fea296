"""A test server that speaks the protocols of TensorFlow Serving. It is not TensorFlow Serving.

The stubs, the messages and the session loader are the official ones. The parts between them, the
checks of names and types before the session and the JSON of the REST interface, are written here
after the documentation. The SavedModel runs in a Python session, one run at a time as in
batching.config, but without a bounded queue, versions and warm-up. The messages about wrong types
are those of the C++ session; a test checks that. By hand, without Docker:
``python -m tests.support.serving_server my_run/export/saved_model/rts/1``.
"""

import base64
import contextlib
import http.server
import json
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import grpc
import numpy as np
import tensorflow as tf
from tensorflow_serving.apis import predict_pb2, prediction_service_pb2_grpc

NAME = "rts"
HTTP_STATUS = {  # as TensorFlow Serving answers
    grpc.StatusCode.INVALID_ARGUMENT: 400,
    grpc.StatusCode.NOT_FOUND: 404,
    grpc.StatusCode.FAILED_PRECONDITION: 412,
    grpc.StatusCode.UNAVAILABLE: 503,
    grpc.StatusCode.RESOURCE_EXHAUSTED: 503,
    grpc.StatusCode.DEADLINE_EXCEEDED: 504,
}
# What the Python session puts before the message of the C++ session.
PYTHONS_OWN = "Graph execution error:\n\n"
CODES = {code.value[0]: code for code in grpc.StatusCode}


class Refused(Exception):
    """A request ends with a status, a grpc.StatusCode, and a message."""

    def __init__(self, code: grpc.StatusCode, message: str):
        super().__init__(message)
        self.code, self.message = code, message


class Model:
    """A SavedModel in a session, for many threads."""

    def __init__(self, directory: str):
        self._one_run, graph = threading.Lock(), tf.Graph()
        self._session = tf.compat.v1.Session(graph=graph)
        with graph.as_default():
            elsewhere = tf.compat.v1.Session(graph=tf.Graph())
            signatures = tf.compat.v1.saved_model.load(
                elsewhere, ["serve"], directory
            ).signature_def
            # The C++ session ignores the shape of an input. Python's checks it, so it must not
            # know the shape.
            tensors = [
                tensor for signature in signatures.values() for tensor in signature.inputs.values()
            ]
            self._inputs = {t.name: tf.compat.v1.placeholder(tf.as_dtype(t.dtype)) for t in tensors}
            tf.compat.v1.saved_model.load(
                self._session, ["serve"], directory, input_map=self._inputs
            )
        self.signatures = {name: s for name, s in signatures.items() if s.inputs}

    def input_types(self, model: str, signature: str) -> dict[str, tf.DType]:
        """The types of the inputs by name.

        Raises:
            Refused: if there is no such model or signature.
        """
        if model != NAME:
            raise Refused(
                grpc.StatusCode.NOT_FOUND, f"Servable not found for request: Latest({model})"
            )
        if signature not in self.signatures:
            raise Refused(
                grpc.StatusCode.FAILED_PRECONDITION,
                f'Serving signature key "{signature}" not found.',
            )
        return {
            name: tf.as_dtype(tensor.dtype)
            for name, tensor in self.signatures[signature].inputs.items()
        }

    def run(
        self, model: str, signature: str, inputs: dict[str, np.ndarray]
    ) -> dict[str, np.ndarray]:
        """Run a signature. Raises Refused as the server would refuse the request."""
        types = self.input_types(model, signature)
        if set(inputs) != set(types):
            expected = f"expected {sorted(types)}, sent {sorted(inputs)}"
            raise Refused(
                grpc.StatusCode.INVALID_ARGUMENT, f"input size does not match signature: {expected}"
            )
        for i, (name, wanted) in enumerate(types.items()):
            if (
                given := tf.as_dtype(
                    inputs[name].dtype if inputs[name].dtype != object else np.bytes_
                )
            ) != wanted:
                reason = f"Expects arg[{i}] to be {_cpp(wanted)} but {_cpp(given)} is provided"
                raise Refused(grpc.StatusCode.INVALID_ARGUMENT, reason)
        described = self.signatures[signature]
        fed = {self._inputs[described.inputs[name].name]: value for name, value in inputs.items()}
        wanted = {name: tensor.name for name, tensor in described.outputs.items()}
        try:
            with self._one_run:
                return self._session.run(wanted, fed)
        except tf.errors.OpError as error:
            raise Refused(
                CODES[error.error_code], error.message.removeprefix(PYTHONS_OWN)
            ) from None


def _cpp(dtype: tf.DType) -> str:
    """The name of a type in the messages of C++."""
    return {"float32": "float", "float64": "double"}.get(dtype.name, dtype.name)


class _Predictions(prediction_service_pb2_grpc.PredictionServiceServicer):
    def __init__(self, model: Model, before: Callable[[], None]):
        self._model, self._before = model, before

    def Predict(self, request, context):  # noqa: N802  the name of the service
        try:
            self._before()
            signature = request.model_spec.signature_name or "serving_default"
            inputs = {name: tf.make_ndarray(value) for name, value in request.inputs.items()}
            outputs = self._model.run(request.model_spec.name, signature, inputs)
        except Refused as refused:
            context.abort(refused.code, refused.message)
        response = predict_pb2.PredictResponse()
        for name, value in outputs.items():
            _as_fields(value, response.outputs[name])
        return response


def _as_fields(value: np.ndarray, message) -> None:
    """Write a tensor as the C++ server does: value by value, not as one block of bytes."""
    message.dtype = tf.as_dtype(
        value.dtype if value.dtype != object else np.bytes_
    ).as_datatype_enum
    message.tensor_shape.CopyFrom(tf.TensorShape(value.shape).as_proto())
    field = {"u": message.int_val, "i": message.int_val, "f": message.float_val}.get(
        value.dtype.kind, message.string_val
    )
    field.extend(value.ravel().tolist())


def _rest(model: Model, before: Callable[[], None]) -> type[http.server.BaseHTTPRequestHandler]:
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):  # noqa: N802  the name of the base class
            if self.path == f"/v1/models/{NAME}":
                status = {"error_code": "OK", "error_message": ""}
                self._answer(
                    200,
                    {
                        "model_version_status": [
                            {"version": "1", "state": "AVAILABLE", "status": status}
                        ]
                    },
                )
            else:
                self._answer(404, {"error": f"Malformed request: GET {self.path}"})

        def do_POST(self):  # noqa: N802
            body = self.rfile.read(int(self.headers["Content-Length"]))
            try:
                before()
                if not (self.path.startswith("/v1/models/") and self.path.endswith(":predict")):
                    raise Refused(
                        grpc.StatusCode.INVALID_ARGUMENT, f"Malformed request: POST {self.path}"
                    )
                self._answer(
                    200,
                    _predict_json(model, self.path[len("/v1/models/") : -len(":predict")], body),
                )
            except Refused as refused:
                self._answer(HTTP_STATUS.get(refused.code, 500), {"error": refused.message})

        def _answer(self, status: int, content: dict) -> None:
            body = json.dumps(content).encode()
            with contextlib.suppress(ConnectionError):  # the client may have stopped waiting
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

        def log_message(self, *arguments):
            pass

    return Handler


def _predict_json(model: Model, name: str, body: bytes) -> dict:
    """Answer both forms: "instances", row by row, and "inputs", tensor by tensor.

    If there is one input, its name may be left out.
    """
    try:
        request = json.loads(body)
        signature = request.get("signature_name", "serving_default")
        rows = request.get("instances")
        if (rows is None) == ("inputs" not in request):
            raise ValueError("Request must have either 'instances' or 'inputs'")
    except (ValueError, AttributeError) as error:
        raise Refused(grpc.StatusCode.INVALID_ARGUMENT, f"JSON Parse error: {error}") from None
    types = model.input_types(name, signature)
    if rows is not None:
        named = {
            key: [row[key] if isinstance(row, dict) and key in row else row for row in rows]
            for key in types
        }
    else:
        given = request["inputs"]
        named = (
            given
            if isinstance(given, dict) and set(given) <= set(types)
            else dict.fromkeys(types, given)
        )
    outputs = model.run(
        name, signature, {key: _from_json(value, types[key]) for key, value in named.items()}
    )
    (only,) = (_to_json(value, key.endswith("_bytes")) for key, value in outputs.items())
    return {"outputs" if rows is None else "predictions": only}


def _from_json(value, dtype: tf.DType) -> np.ndarray:
    def decoded(part):
        if isinstance(part, list):
            return [decoded(p) for p in part]
        return base64.b64decode(part["b64"]) if isinstance(part, dict) else part.encode()

    try:
        if dtype == tf.string:
            return np.array(decoded(value), object)
        array = np.array(value)
        if (
            array.dtype.kind not in ("iu" if dtype.is_integer else "iuf")
            or array.min() < dtype.min
            or array.max() > dtype.max
        ):
            raise ValueError(f"JSON Value is not of expected type: {_cpp(dtype)}")
        return array.astype(dtype.as_numpy_dtype)
    except (ValueError, AttributeError, KeyError, TypeError) as error:
        raise Refused(grpc.StatusCode.INVALID_ARGUMENT, str(error)) from None


def _to_json(value: np.ndarray, binary: bool) -> list:
    return [{"b64": base64.b64encode(v).decode()} if binary else v.tolist() for v in value]


class Server(NamedTuple):
    grpc: str  # host:port
    rest: str


class _Http(http.server.ThreadingHTTPServer):
    request_queue_size = 128


@contextlib.contextmanager
def serving(
    model: Model, before: Callable[[], None] = lambda: None, ports: tuple[int, int] = (0, 0)
) -> Iterator[Server]:
    """Serve on this machine.

    Args:
        model: the model to serve.
        before: is called with each request; it may wait, or raise Refused.
        ports: for gRPC and REST; 0 is any free port.
    """
    server = grpc.server(ThreadPoolExecutor(16), options=[("grpc.max_receive_message_length", -1)])
    prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server(
        _Predictions(model, before), server
    )
    port = server.add_insecure_port(f"127.0.0.1:{ports[0]}")
    rest = _Http(("127.0.0.1", ports[1]), _rest(model, before))
    thread = threading.Thread(target=rest.serve_forever, args=(0.02,))
    server.start()
    thread.start()
    try:
        yield Server(f"127.0.0.1:{port}", f"127.0.0.1:{rest.server_port}")
    finally:
        server.stop(None).wait()
        rest.shutdown()
        thread.join()
        rest.server_close()


if __name__ == "__main__":
    with (
        contextlib.suppress(KeyboardInterrupt),
        serving(Model(sys.argv[1]), ports=(8500, 8501)) as addresses,
    ):
        print(
            f"a test server, not TensorFlow Serving: gRPC {addresses.grpc}, REST {addresses.rest}",
            flush=True,
        )
        threading.Event().wait()
