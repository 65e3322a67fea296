"""A server that means harm cannot lead the client elsewhere, fill its memory, or hold it up."""

import contextlib
import socket
import threading
import time

import numpy as np
import pytest

from rts_tf.errors import ImageError
from rts_tf.serving_client import connection
from rts_tf.serving_client.connection import RestConnection, ServerError

PIXELS = np.zeros((1, 4, 4, 3), np.uint8)


@contextlib.contextmanager
def answering(answer):
    """A server that lets ``answer`` send to each client, and the addresses of those who came."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        asked: list[bytes] = []

        def serve() -> None:
            with contextlib.suppress(OSError):
                while True:
                    client, _ = listening.accept()
                    with client, contextlib.suppress(OSError):
                        client.settimeout(5)
                        if request := client.recv(65536):
                            asked.append(request)
                            answer(client)

        threading.Thread(target=serve, daemon=True).start()
        yield f"127.0.0.1:{listening.getsockname()[1]}", asked


def ask(server: str, deadline: float = 20) -> np.ndarray:
    found = RestConnection(server, "rts", deadline, 0)
    try:
        return found.predict("enhance", "images", PIXELS)
    finally:
        found.close()


@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "307 Temporary", "308 Permanent"])
def test_no_redirect_is_followed(status):
    with answering(lambda client: None) as (other, asked_there):

        def redirect(client) -> None:
            head = f"HTTP/1.1 {status}\r\nLocation: http://{other}/\r\nContent-Length: 0\r\n\r\n"
            client.sendall(head.encode())

        with answering(redirect) as (server, asked):
            with pytest.raises(ServerError, match="a redirect, which is not followed"):
                ask(server)
            assert len(asked) == 1 and not asked_there


def test_an_answer_of_any_size():
    def endless(client) -> None:
        client.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000000\r\n\r\n")
        while True:
            client.sendall(bytes(2**16))

    with answering(endless) as (server, _), pytest.raises(ServerError, match="more than 0 MiB"):
        ask(server)


def test_a_byte_at_a_time():
    """Each byte comes in time, and all of them never do."""

    def dripping(client) -> None:
        client.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        while True:
            client.sendall(b" ")
            time.sleep(0.1)

    began = time.monotonic()
    with answering(dripping) as (server, _), pytest.raises(ImageError, match="no answer within"):
        ask(server, deadline=1)
    assert time.monotonic() - began < 5


def test_deep_json():
    body = b"[" * 10**4

    def deep(client) -> None:
        client.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))

    with answering(deep) as (server, _), pytest.raises(ServerError, match="in another form"):
        ask(server)


def test_an_array_of_any_shape():
    """gRPC: TensorFlow fills an array of any shape with one value."""
    import tensorflow as tf

    array = tf.make_tensor_proto(np.float32([1.0]))
    assert connection._array(array).shape == (1,)
    for sides in ([2**40, 2**20], [2**62], [-1]):
        del array.tensor_shape.dim[:]
        for side in sides:
            array.tensor_shape.dim.add(size=side)
        with pytest.raises(ValueError, match="an array of shape"):
            connection._array(array)
