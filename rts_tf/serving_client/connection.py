"""Asks one model of a TensorFlow Serving, by gRPC or REST: deadline, retries and errors.

A request that the server could not take (UNAVAILABLE, 503, no connection) is sent again after a
pause that doubles; a prediction changes nothing, so that is safe. A request that the server
refused, or did not answer in time, is not sent again.
"""

import abc
import base64
import contextlib
import http.client
import json
import math
import random
import socket
import threading
import time
import urllib.parse
from typing import Any

import numpy as np

from rts_tf.errors import ConfigError, ImageError, RtsError
from rts_tf.export import MAX_PIXELS

PAUSE, LONGEST_PAUSE = 0.25, 4.0  # seconds before the first retry, and at most
# Bytes of the largest answer: float32, with twice as many pixels a side. gRPC's default of 4 MB is
# below one 1080p frame.
MESSAGE_LIMIT = MAX_PIXELS * 4 * 3 * 4 + 2**16
_DIGITS = 100  # bytes of JSON for each sample that is sent: four come back, as numbers with commas


class ServerError(RtsError):
    """The server is not available, or does not serve this model: no request can succeed."""


class _Unavailable(Exception):
    """The server is not available now; the request may be sent again."""


class Connection(abc.ABC):
    """A connection to one model. Many threads may call ``predict`` at once."""

    def __init__(self, server: str, model: str, deadline: float, retries: int):
        """Connect to a server.

        Args:
            server: "host:port".
            model: its name in the model config of the server.
            deadline: seconds that one call of ``predict`` may take, retries included.
            retries: how often a request is sent again while the server is not available.

        Raises:
            ConfigError: if ``server`` is not of that form.
            ServerError: if nothing listens there.
        """
        self.server, self.model, self._deadline, self._retries = server, model, deadline, retries
        host, _, port = server.rpartition(":")
        self._host, self._port = host.strip("[]"), int(port) if port.isdecimal() else 0
        if not host or "/" in host or not 0 < self._port < 65536:
            raise ConfigError(f"`server`={server}: must be HOST:PORT.")
        self._closed = threading.Event()
        try:
            socket.create_connection((self._host, self._port), timeout=min(deadline, 10)).close()
        except OSError as error:
            reason = error.strerror or error
            raise ServerError(
                f"`server`={server}: cannot be reached ({reason}); is the server running?"
            ) from None

    def predict(self, signature: str, name: str, value: np.ndarray) -> np.ndarray:
        """Run a signature that has one input and one output.

        Args:
            signature: its name.
            name: of the input.
            value: of the input; an array of objects is sent as strings of bytes.

        Returns:
            The output.

        Raises:
            ImageError: if the server refuses the request (the message has its reason), or does
                not answer in time.
            ServerError: if the server stays unavailable, or has no such model or signature.
        """
        end = time.monotonic() + self._deadline
        attempt = 0
        while True:
            try:
                return self._call(signature, name, value, max(0.001, end - time.monotonic()))
            except _Unavailable as error:
                pause = min(PAUSE * 2**attempt, LONGEST_PAUSE) * random.uniform(0.5, 1)
                if (
                    attempt == self._retries
                    or time.monotonic() + pause >= end
                    or self._closed.wait(pause)
                ):
                    tries = f"{attempt + 1} {'try' if attempt == 0 else 'tries'}"
                    raise ServerError(
                        f"`server`={self.server}: is not available, after {tries} ({error})"
                    ) from None
                attempt += 1

    def close(self) -> None:
        """Cancel the requests that are under way, as far as the protocol can."""
        self._closed.set()

    @abc.abstractmethod
    def _call(self, signature: str, name: str, value: np.ndarray, seconds: float) -> np.ndarray:
        """Send one request.

        Raises:
            _Unavailable: if trying again may help; else as ``predict``.
        """

    def _late(self) -> ImageError:
        return ImageError(f"there was no answer within `deadline`={self._deadline:g} seconds")

    def _foreign(self, reason: str) -> ServerError:
        return ServerError(
            f"`server`={self.server}: serves no model of rts_tf called {self.model} ({reason})"
        )


class GrpcConnection(Connection):
    """A connection by gRPC and the official stubs."""

    def __init__(self, server: str, model: str, deadline: float, retries: int):
        super().__init__(server, model, deadline, retries)
        import grpc
        from tensorflow_serving.apis import prediction_service_pb2_grpc

        options = {
            "grpc.max_send_message_length": MESSAGE_LIMIT,
            "grpc.max_receive_message_length": MESSAGE_LIMIT,
            # Between retries the channel must try again too; its own pauses begin at a second.
            # `grpc.min_reconnect_backoff_ms` is not set, since it also limits the handshake, for
            # which a busy server may need seconds.
            "grpc.initial_reconnect_backoff_ms": int(1000 * PAUSE),
            "grpc.max_reconnect_backoff_ms": int(1000 * LONGEST_PAUSE),
            "grpc.enable_http_proxy": 0,
            "grpc.use_local_subchannel_pool": 1,
        }
        self._channel = grpc.insecure_channel(server, list(options.items()))
        self._stub = prediction_service_pb2_grpc.PredictionServiceStub(self._channel)

    def close(self) -> None:
        super().close()
        self._channel.close()

    def _call(self, signature: str, name: str, value: np.ndarray, seconds: float) -> np.ndarray:
        import grpc
        import tensorflow as tf
        from tensorflow_serving.apis import predict_pb2

        request = predict_pb2.PredictRequest()
        request.model_spec.name, request.model_spec.signature_name = self.model, signature
        request.inputs[name].CopyFrom(tf.make_tensor_proto(value))
        try:
            response = self._stub.Predict(request, timeout=seconds)
        except grpc.RpcError as error:
            code, reason = error.code(), _one_line(error.details())
            if code == grpc.StatusCode.UNAVAILABLE:
                raise _Unavailable(reason) from None
            if code == grpc.StatusCode.DEADLINE_EXCEEDED:
                raise self._late() from None
            if code in (
                grpc.StatusCode.NOT_FOUND,
                grpc.StatusCode.FAILED_PRECONDITION,
                grpc.StatusCode.UNIMPLEMENTED,
            ):
                raise self._foreign(reason) from None
            raise ImageError(f"the server refused it: {reason}") from None
        try:
            (output,) = response.outputs.values()
            return _array(output)
        except (ValueError, TypeError, KeyError, OverflowError) as error:
            raise self._foreign(f"its answer is no image: {_one_line(str(error))}") from None


class RestConnection(Connection):
    """A connection by JSON over HTTP.

    Files are sent in base64. Pixels are sent as numbers, which take four times their size and much
    time: gRPC is the better choice for them.
    """

    def _call(self, signature: str, name: str, value: np.ndarray, seconds: float) -> np.ndarray:
        files = value.dtype == object
        content = (
            [{"b64": base64.b64encode(file).decode()} for file in value]
            if files
            else value.tolist()
        )
        body = json.dumps({"signature_name": signature, "inputs": {name: content}})
        most = 2**16 + (2 * MESSAGE_LIMIT if files else _DIGITS * value.size)
        status, text = self._answer(body, seconds, most)
        if status // 100 == 3:
            raise self._foreign(f"HTTP status {status}, a redirect, which is not followed")
        if len(text) > most:
            raise self._foreign(f"its answer has more than {most >> 20} MiB")
        try:
            answer = json.loads(text)
            if status == 200:
                outputs = answer["outputs"]
                return (
                    np.array([base64.b64decode(o["b64"]) for o in outputs], object)
                    if files
                    else np.array(outputs)
                )
            reason = _one_line(answer["error"])
        except (ValueError, KeyError, TypeError, RecursionError):
            raise self._foreign(
                f"HTTP status {status}, in another form than TensorFlow Serving's"
            ) from None
        if status == 503:
            raise _Unavailable(reason)
        if status == 504:
            raise self._late()
        if status in (404, 412):
            raise self._foreign(reason)
        raise ImageError(f"the server refused it: {reason}")

    def _answer(self, body: str, seconds: float, most: int) -> tuple[int, bytes]:
        """Send a request: the HTTP status, and the answer up to one byte beyond ``most``.

        Raises:
            _Unavailable, ServerError, ImageError: as ``_call``.
        """
        connection = http.client.HTTPConnection(self._host, self._port, timeout=seconds)
        late = threading.Event()

        def hang_up() -> None:  # a server may send a byte at a time, each of them in time
            late.set()
            if connection.sock:
                with contextlib.suppress(OSError):
                    connection.sock.shutdown(socket.SHUT_RDWR)

        timer = threading.Timer(seconds, hang_up)
        timer.daemon = True
        timer.start()
        try:
            path = f"/v1/models/{urllib.parse.quote(self.model, safe='')}:predict"
            connection.request("POST", path, body, {"Content-Type": "application/json"})
            response = connection.getresponse()
            text = response.read(most + 1)
            if late.is_set():
                raise self._late()
            return response.status, text
        except TimeoutError:
            raise self._late() from None
        except (OSError, http.client.HTTPException) as error:
            if late.is_set():
                raise self._late() from None
            if isinstance(error, OSError | http.client.IncompleteRead):
                raise _Unavailable(getattr(error, "strerror", None) or str(error)) from None
            raise self._foreign(
                "it does not speak HTTP; REST has a port of its own, usually 8501"
            ) from None
        finally:
            timer.cancel()
            connection.close()


CONNECTIONS: dict[str, type[GrpcConnection | RestConnection]] = {
    "grpc": GrpcConnection,
    "rest": RestConnection,
}


def _array(output: Any) -> np.ndarray:
    """The array in a message. A few bytes of it can announce an array of any size.

    Raises:
        ValueError: It would be larger than an answer may be.
    """
    import tensorflow as tf

    sides = [dim.size for dim in output.tensor_shape.dim]
    if min(sides, default=0) < 0 or math.prod(sides) * 4 > MESSAGE_LIMIT:
        raise ValueError(f"an array of shape {sides[:8]}")
    return tf.make_ndarray(output)


def _one_line(reason: str) -> str:
    """Return the reason of a server without the trace that TensorFlow writes below it."""
    return reason.strip().splitlines()[0][:500] if reason and reason.strip() else "no reason given"
