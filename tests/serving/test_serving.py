"""Requests to the test server: what it refuses, that it goes on serving, and many clients."""

import base64
import contextlib
import http.client
import itertools
import json
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import threading
import time

import numpy as np
import pytest
import tensorflow as tf

import export.serving
from rts_tf.errors import ImageError
from rts_tf.inference import Enhancer
from rts_tf.serving_client.connection import CONNECTIONS
from tests.support.networks import NETWORKS
from tests.support.served_images import FILES, IMAGES, bomb
from tests.support.tf_c_session import CSession, library

grpc = pytest.importorskip("grpc")
pytest.importorskip("tensorflow_serving", reason="the extra 'serving' is not installed")
from tensorflow_serving.apis import predict_pb2, prediction_service_pb2_grpc  # noqa: E402

from tests.support.serving_server import Model, serving  # noqa: E402

ENHANCER = Enhancer(NETWORKS["residual1"])
PIXELS = IMAGES[1][:24, :20][None]  # uint8 [1, 24, 20, 3]
NAMES = {"serving_default": "image_bytes"}  # of the input; others: images
REFUSED = {  # signature, value, and what the server says
    "corrupt png": ("serving_default", [FILES[0][:-900]], "PNG"),
    "corrupt jpeg": ("serving_default", [FILES[4][:300]], "JPEG"),
    "not an image": ("serving_default", [b"hello"], "must be JPEG or PNG"),
    "png bomb": ("serving_default", [bomb("PNG")], "more than 8294400 pixels; cut or reduce it"),
    "jpeg bomb": ("serving_default", [bomb("JPEG")], "more than 8294400 pixels; cut or reduce it"),
    "rank": (
        "enhance",
        PIXELS[0],
        "images must have the shape [batch, height, width, 3], not] [24 20 3]",
    ),
    "channels": (
        "upscale",
        PIXELS[..., :1],
        "images must have the shape [batch, height, width, 3], not] [1 24 20 1]",
    ),
}
TYPES = {  # JSON has one type of number
    "float for uint8": (
        "enhance",
        PIXELS.astype(np.float32),
        "Expects arg[0] to be uint8 but float is provided",
    ),
    "int64 for uint8": (
        "upscale",
        PIXELS.astype(np.int64),
        "Expects arg[0] to be uint8 but int64 is provided",
    ),
    "uint8 for float": (
        "enhance_float",
        PIXELS,
        "Expects arg[0] to be float but uint8 is provided",
    ),
    "double for float": (
        "upscale_float",
        PIXELS / 255,
        "Expects arg[0] to be float but double is provided",
    ),
    "uint8 for bytes": (
        "serving_default",
        PIXELS[0, 0, :, 0],
        "Expects arg[0] to be string but uint8 is provided",
    ),
}
BY_GRPC = (
    REFUSED
    | TYPES
    | {
        "rank of bytes": (
            "serving_default",
            [[FILES[2]]],
            "image_bytes must have the shape [batch], not] [1 1]",
        )
    }
)
REQUESTS = {"grpc": BY_GRPC, "rest": REFUSED}


@pytest.fixture(scope="module")
def model(saved_model_directory):
    return Model(str(saved_model_directory))


@pytest.fixture(scope="module")
def server(model):
    with serving(model) as addresses:
        yield addresses


@pytest.fixture(scope="module")
def connections(server):
    made = {
        protocol: kind(getattr(server, protocol), "rts", 60, 0)
        for protocol, kind in CONNECTIONS.items()
    }
    yield made
    for connection in made.values():
        connection.close()


def array(value):
    return np.array(value, object) if isinstance(value, list) else value


def check_serves(connection):
    (answer,) = connection.predict("enhance", "images", PIXELS)
    np.testing.assert_allclose(answer, ENHANCER.enhance(PIXELS[0]), atol=1)


@pytest.mark.parametrize(
    ("protocol", "case"),
    [(protocol, case) for protocol, cases in REQUESTS.items() for case in cases],
)
def test_refused_with_the_reason_and_it_goes_on_serving(connections, protocol, case):
    signature, value, reason = REQUESTS[protocol][case]
    with pytest.raises(ImageError, match="^the server refused it: ") as error:
        connections[protocol].predict(signature, NAMES.get(signature, "images"), array(value))
    assert reason in str(error.value) and "\n" not in str(error.value)
    check_serves(connections[protocol])


def test_the_status_is_invalid_argument(server):
    """The status on the wire, by the stubs and HTTP alone, as clients in other languages see it."""
    request = predict_pb2.PredictRequest()
    request.model_spec.name, request.model_spec.signature_name = "rts", "enhance"
    request.inputs["pixels"].CopyFrom(tf.make_tensor_proto(PIXELS))
    with grpc.insecure_channel(server.grpc) as channel, pytest.raises(grpc.RpcError) as error:
        prediction_service_pb2_grpc.PredictionServiceStub(channel).Predict(request, timeout=60)
    assert (
        error.value.code() == grpc.StatusCode.INVALID_ARGUMENT and "images" in error.value.details()
    )
    pixels, encoded = PIXELS[0].tolist(), {"b64": base64.b64encode(bomb("PNG")).decode()}
    pixels[0][0][0] = 1.5
    for body, reason in (
        ({"instances": [{"image_bytes": encoded}]}, "more than 8294400 pixels"),
        (
            {"signature_name": "enhance", "instances": [{"images": pixels}]},
            "not of expected type: uint8",
        ),
        ({"inputs": [[encoded]]}, "image_bytes must have the shape [batch], not] [1 1]"),
        ({"signature_name": "enhance", "inputs": "hello"}, "not of expected type: uint8"),
        ({"signature_name": "enhance", "instances": [[1], [1, 2]]}, ""),
        ({}, "either 'instances' or 'inputs'"),
    ):
        status, answer = post(server, body)
        assert status == 400 and reason in answer["error"], answer


def post(server, body):
    connection = http.client.HTTPConnection(server.rest, timeout=60)
    connection.request("POST", "/v1/models/rts:predict", json.dumps(body))
    response = connection.getresponse()
    return response.status, json.loads(response.read())


def test_the_health_check_of_the_compose_file(server):
    yaml, bash = (
        pytest.importorskip("yaml"),
        shutil.which("bash") or pytest.skip("there is no bash"),
    )
    compose = pathlib.Path(export.serving.__file__).with_name("compose.yaml").read_text()
    _, *command = yaml.safe_load(compose)["services"]["serving"]["healthcheck"]["test"]
    port, closed = server.rest.split(":")[1], "1"
    for number, expected in ((port, True), (closed, False)):
        done = subprocess.run(
            [bash, *command[1:-1], command[-1].replace("8501", number)],
            capture_output=True,
            timeout=60,
        )
        assert (done.returncode == 0) == expected


def test_rest_by_rows(server):
    """The form of the documentation's examples: instances, base64, no signature named."""
    files = [
        {"image_bytes": {"b64": base64.b64encode(file).decode()}} for file in (FILES[1], FILES[2])
    ]
    status, answer = post(server, {"instances": files})
    assert status == 200
    for file, expected in zip(answer["predictions"], IMAGES[1:], strict=True):
        made = tf.io.decode_png(base64.b64decode(file["b64"])).numpy()
        np.testing.assert_allclose(made, ENHANCER.enhance(expected), atol=1)


@pytest.mark.skipif(
    library() is None, reason="this TensorFlow comes without the library of the C API"
)
def test_the_session_of_cpp_refuses_types_in_these_words(saved_model_directory, model):
    """The messages in ``TYPES`` are not the test server's invention."""
    session = CSession(str(saved_model_directory))
    for signature, value, reason in TYPES.values():
        described = model.signatures[signature]
        ((_, given),), ((_, wanted),) = described.inputs.items(), described.outputs.items()
        assert session.run(
            given.name, wanted.name, value, tf.as_dtype(value.dtype).as_datatype_enum
        ) == (3, reason)
    described = model.signatures["enhance"]
    given, wanted = described.inputs["images"].name, described.outputs["enhanced"].name
    assert session.run(given, wanted, PIXELS, tf.uint8.as_datatype_enum) == (0, "")
    code, message = session.run(given, wanted, PIXELS[0], tf.uint8.as_datatype_enum)
    assert code == 3 and REFUSED["rank"][2] in message


def good_requests():
    """Distinct good requests, each with its answer, checked against the network."""
    images = [IMAGES[0][:12, :15], IMAGES[1][:16, :9], IMAGES[2], IMAGES[1][5:15, 8:28]]
    for image in images:
        yield "enhance", image[None], ENHANCER.enhance(image)[None], 1
        yield (
            "upscale_float",
            image[None] / np.float32(255),
            ENHANCER.upscale(image / np.float32(255))[None],
            1e-5,
        )
    for image in images[::2]:
        yield (
            "serving_default",
            np.array([tf.io.encode_png(image).numpy()], object),
            ENHANCER.enhance(image),
            1,
        )


def describe(answer, expected):
    if answer.shape != expected.shape:
        return f"shape {answer.shape}, not {expected.shape}"
    difference = np.abs(answer - expected.astype(np.float64))
    return (
        f"{expected.shape} differ by up to {difference.max():g} in {(difference > 0).sum()} samples"
    )


def test_a_server_that_is_slow_to_shake_hands(server):
    """A busy server accepts a connection and says its first word of HTTP/2 a second later."""
    host, port = server.grpc.split(":")
    listener = socket.create_server((host, 0))

    def copy(source: socket.socket, sink: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(2**16):
                sink.sendall(data)

    def relay() -> None:
        with contextlib.suppress(OSError):  # the listener is closed at the end
            while True:
                client, _ = listener.accept()
                time.sleep(1)
                upstream = socket.create_connection((host, int(port)))
                for pair in ((client, upstream), (upstream, client)):
                    threading.Thread(target=copy, args=pair, daemon=True).start()

    threading.Thread(target=relay, daemon=True).start()
    with listener:
        connection = CONNECTIONS["grpc"](f"{host}:{listener.getsockname()[1]}", "rts", 60, 0)
        check_serves(connection)
        connection.close()


@pytest.mark.parametrize("count", [10, pytest.param(50, marks=pytest.mark.golden)])
def test_many_clients(server, count):
    """64 clients send mixed requests, bad ones too, and every answer is right.

    Each has a connection and a thread of its own.
    """
    good, lost, wrong = list(good_requests()), [], []
    bad = {
        protocol: [(s, array(v), reason) for s, v, reason in cases.values()]
        for protocol, cases in REQUESTS.items()
    }
    start, answered = threading.Barrier(64), itertools.count()

    def client(number: int) -> None:
        protocol = "grpc" if number % 4 else "rest"
        try:
            connection = CONNECTIONS[protocol](getattr(server, protocol), "rts", 120, 0)
            start.wait(60)
            for i in range(count):
                if (i + number) % 5 == 4:
                    signature, value, reason = bad[protocol][(i + number) // 5 % len(bad[protocol])]
                    try:
                        connection.predict(signature, NAMES.get(signature, "images"), value)
                        wrong.append(f"{signature}: not refused")
                    except ImageError as error:
                        if reason not in str(error):
                            wrong.append(f"{reason}: {error}")
                else:
                    signature, value, expected, tolerance = good[(7 * number + i) % len(good)]
                    answer = connection.predict(signature, NAMES.get(signature, "images"), value)
                    if value.dtype == object:
                        answer = tf.io.decode_png(answer[0]).numpy()
                    if (
                        answer.shape != expected.shape
                        or np.abs(answer - expected.astype(np.float64)).max() > tolerance
                    ):
                        what = describe(answer, expected)
                        wrong.append(f"client {number}, request {i}, {signature}: {what}")
                next(answered)
            connection.close()
        except Exception as error:
            lost.append(repr(error))

    clients = [threading.Thread(target=client, args=(number,)) for number in range(64)]
    for thread in clients:
        thread.start()
    for thread in clients:
        thread.join()
    assert not lost and not wrong, "; ".join(lost + wrong)[:1000]
    assert next(answered) == 64 * count


@pytest.mark.golden
@pytest.mark.parametrize(
    "signature", ["serving_default", "enhance", "upscale", "enhance_float", "upscale_float"]
)
def test_saved_model_cli(saved_model_directory, tmp_path, signature):
    """TensorFlow's own command, from the shell."""
    name, value = NAMES.get(signature, "images"), PIXELS
    if name == "image_bytes":
        value = np.array(FILES[:2])
    elif "float" in signature:
        value = value / np.float32(255)
    np.save(tmp_path / "in.npy", value)
    command = shutil.which(
        "saved_model_cli",
        path=os.pathsep.join([os.path.dirname(sys.executable), os.environ["PATH"]]),
    )
    arguments = [
        "run",
        "--dir",
        saved_model_directory,
        "--tag_set",
        "serve",
        "--signature_def",
        signature,
    ]
    arguments += ["--inputs", f"{name}={tmp_path / 'in.npy'}", "--outdir", tmp_path]
    done = subprocess.run([command, *map(str, arguments)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    if name == "image_bytes":
        found = tf.io.decode_png(
            np.load(tmp_path / "enhanced_bytes.npy", allow_pickle=True)[0]
        ).numpy()
        expected = ENHANCER.enhance(IMAGES[0])
    else:
        output, function = (
            ("upscaled", ENHANCER.upscale)
            if "upscale" in signature
            else ("enhanced", ENHANCER.enhance)
        )
        found, expected = np.load(tmp_path / f"{output}.npy"), function(value)
    np.testing.assert_allclose(found, expected, atol=1e-5 if "float" in signature else 1)
