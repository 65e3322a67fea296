"""The client's command: images and folders by both protocols, retries, deadlines, and errors."""

import os
import signal
import socket
import threading
import time

import numpy as np
import pytest
from PIL import Image

from export.serving import client, connection
from rts_tf.inference import Enhancer
from tests.support.commands import command_of, photo, state
from tests.support.image_files import saved
from tests.support.images import BOMB
from tests.support.networks import NETWORKS

grpc = pytest.importorskip("grpc")
pytest.importorskip("tensorflow_serving", reason="the extra 'serving' is not installed")
from tests.support.serving_server import Model, Refused, serving  # noqa: E402

ENHANCER = Enhancer(NETWORKS["residual1"])


def command(*arguments):
    """Exit code, standard output and standard error of the client with these arguments."""
    code, out, err = command_of(client, *arguments)
    assert "Traceback" not in err, err
    return code, out, err


class Before:
    """What the server calls with each request, first of all. A test sets ``act``."""

    def __init__(self):
        self.act = lambda number: None
        self.count, self._lock = 0, threading.Lock()

    def __call__(self):
        with self._lock:
            self.count += 1
            number = self.count
        self.act(number)


@pytest.fixture(scope="module")
def before():
    return Before()


@pytest.fixture(scope="module")
def addresses(saved_model_directory, before):
    model = Model(str(saved_model_directory))
    model.run(
        "rts", "serving_default", {"image_bytes": np.array([saved(photo(), "PNG")], object)}
    )  # the first is slow
    with serving(model, before) as found:
        yield found


@pytest.fixture(params=["grpc", "rest"])
def server(request, addresses, before, monkeypatch):
    """The flags that lead to the server."""
    before.act, before.count = lambda number: None, 0
    monkeypatch.setattr(connection, "PAUSE", 0.02)
    yield f"--protocol={request.param}", f"--server={getattr(addresses, request.param)}"
    before.act = lambda number: None


def unavailable(number):
    raise Refused(grpc.StatusCode.UNAVAILABLE, "the queue is full")


@pytest.fixture
def images(tmp_path):
    """A tree of five good images of every kind, and two bad ones."""
    folder = tmp_path / "photos"
    (folder / "below" / "it").mkdir(parents=True)
    photo(0, 24, 30).save(folder / "a.png", icc_profile=b"", dpi=(240, 300))
    exif = Image.Exif()
    exif[0x0112] = 6
    photo(1, 20, 31).save(folder / "below" / "turned.JPG", exif=exif, quality=95)
    Image.fromarray(np.asarray(photo(2, 17, 19).convert("L"), np.uint16) * 257).save(
        folder / "below" / "it" / "grey 16.png"
    )
    transparent = photo(3, 22, 22)
    transparent.putalpha(Image.linear_gradient("L").resize((22, 22)))
    transparent.save(folder / "transparent.webp", lossless=True)
    photo(4, 9, 40).convert("L").save(folder / "grey.tiff")
    (folder / "bad.png").write_bytes(b"hello")
    (folder / "bomb.png").write_bytes(BOMB)
    return folder


@pytest.mark.parametrize("scale", [1, 2])
def test_a_folder_with_bad_images_among_good_ones(server, images, tmp_path, scale):
    original = state(images)
    output = tmp_path / "out"
    arguments = images, f"--output={output}", f"--scale={scale}", *server
    code, out, err = command(*arguments)
    assert code == 1 and "enhanced 5 of 7 images" in out and state(images) == original
    assert sorted(line.split("photos/")[1] for line in err.splitlines()) == [
        "bad.png: is not a PNG, JPEG, WebP, TIFF, BMP, AVIF, GIF, JPEG XL or HEIC image",
        "bomb.png: has more than 8 million pixels; cut or scale it down first",
    ]
    made = {p.relative_to(output).as_posix(): Image.open(p) for p in output.rglob("*.*")}
    function = ENHANCER.upscale if scale == 2 else ENHANCER.enhance
    for name, tolerance in (
        ("a.png", 1),
        ("below/turned.JPG", 30),
        ("below/it/grey 16.png", 3),
        ("grey.tiff", 1),
    ):
        with Image.open(images / name) as image:
            turned = image.transpose(Image.Transpose.ROTATE_270) if "turned" in name else image
            pixels = np.asarray(turned, np.uint16 if "16" in name else np.uint8)
        expected = function(pixels if pixels.ndim == 3 else pixels[..., None])
        found = np.asarray(made.pop(name), np.int32)
        assert np.abs(found - expected.reshape(found.shape).astype(np.int32)).max() <= tolerance, (
            name
        )
    assert made.pop("transparent.webp").mode == "RGBA" and not made
    assert Image.open(output / "a.png").info["dpi"] == pytest.approx((240, 300), abs=0.01)
    files = state(output)
    code, out, err = command(*arguments)
    assert (
        code == 1
        and "enhanced 0 of 2" in out
        and "already there: 5 of 7" in out
        and state(output) == files
    )


def test_a_request_is_repeated_while_the_server_is_unavailable(server, before, images, tmp_path):
    before.act = lambda number: unavailable(number) if number <= 3 else None
    arguments = images / "a.png", f"--output={tmp_path / 'a.png'}", *server
    code, out, err = command(*arguments, "--retries=2")
    assert code == 1 and before.count == 3 and not (tmp_path / "a.png").exists()
    assert "is not available, after 3 tries (the queue is full). Not done: 1 of 1 images" in err
    assert "; the same command continues" in err
    before.count = 1
    assert (
        command(*arguments, "--retries=2")[::2] == (0, "")
        and before.count == 4
        and (tmp_path / "a.png").exists()
    )


def test_what_is_refused_is_not_repeated(server, before, images, tmp_path):
    def refuse(number):
        raise Refused(grpc.StatusCode.INVALID_ARGUMENT, "not today\nsecond line")

    before.act = refuse
    code, out, err = command(images / "a.png", f"--output={tmp_path / 'a.png'}", *server)
    assert (
        code == 1
        and before.count == 1
        and err == f"error: {images / 'a.png'}: the server refused it: not today\n"
    )


def test_a_server_that_goes_away_is_one_error(server, before, images, tmp_path):
    """The rest is not tried, each with all its retries; what is done is kept."""
    before.act = lambda number: unavailable(number) if number > 2 else None
    for name in ("bad.png", "bomb.png"):
        (images / name).unlink()
    code, out, err = command(
        images, f"--output={tmp_path / 'out'}", "--retries=1", "--concurrency=1", *server
    )
    assert (
        code == 1
        and "enhanced 2 of 5" in out
        and err.count("\n") == 1
        and "Not done: 3 of 5 images" in err
    )
    assert len(state(tmp_path / "out")) == 2 and before.count <= 6


def test_deadline(server, before, images, tmp_path):
    released = threading.Event()
    before.act = lambda number: number == 1 and released.wait(10)
    both = images / "a.png", images / "grey.tiff"
    try:
        code, out, err = command(
            *both, f"--output={tmp_path / 'out'}", "--deadline=0.6", "--concurrency=1", *server
        )
    finally:
        released.set()
    assert code == 1 and "enhanced 1 of 2" in out and before.count == 2
    assert err == f"error: {images / 'a.png'}: there was no answer within --deadline=0.6 seconds\n"


def test_no_more_requests_at_once_than_allowed(server, before, images, tmp_path):
    together, most, lock, three = 0, 0, threading.Lock(), threading.Barrier(3)

    def act(number):
        nonlocal together, most
        with lock:
            together += 1
            most = max(most, together)
        if number <= 3:
            three.wait(30)  # fails if they do not come together
        time.sleep(0.02)
        with lock:
            together -= 1

    before.act = act
    for i in range(8):
        photo(i, 8, 8).save(images / f"small {i}.png")
    assert command(images, f"--output={tmp_path / 'out'}", "--concurrency=3", *server)[0] == 1
    assert before.count == 13 and most == 3


def test_ctrl_c(server, before, images, tmp_path):
    before.act = lambda number: os.kill(os.getpid(), signal.SIGINT) if number == 2 else None
    code, out, err = command(images, f"--output={tmp_path / 'out'}", "--concurrency=1", *server)
    assert code == 130 and "stopped; what was written is whole" in err
    assert 1 <= len(state(tmp_path / "out")) < 5
    before.act = lambda number: None
    assert "already there" in command(images, f"--output={tmp_path / 'out'}", *server)[1]
    assert len(state(tmp_path / "out")) == 5


def test_servers_that_cannot_serve(server, addresses, images, tmp_path):
    protocol, address = server
    arguments = images / "a.png", f"--output={tmp_path / 'a.png'}", protocol
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))  # and does not listen
        code, out, err = command(*arguments, f"--server=127.0.0.1:{free.getsockname()[1]}")
    assert (
        code == 1
        and "cannot be reached (Connection refused); is the server running?" in err
        and err.count("\n") == 1
    )
    code, out, err = command(*arguments, address, "--model=other")
    assert (
        code == 1
        and "serves no model of rts_tf called other (Servable not found" in err
        and err.count("\n") == 1
    )
    other = addresses.rest if protocol == "--protocol=grpc" else addresses.grpc
    code, out, err = command(*arguments, f"--server={other}", "--retries=0")
    assert (
        code == 1
        and ("does not speak HTTP" in err or "is not available, after 1 try" in err)
        and err.count("\n") == 1
    )
    assert not (tmp_path / "a.png").exists()


class Echo:
    """A model that doubles pixels, as fast as can be."""

    def run(self, model, signature, inputs):
        return {"upscaled": inputs["images"].repeat(2, axis=1).repeat(2, axis=2)}


def test_a_1080p_frame_fits_a_message(tmp_path):
    """6.2 million samples, 9 MB on the wire; 4 MB is the limit where none is set."""
    frame = np.random.default_rng(1).integers(0, 256, (540, 960, 3), np.uint8)
    Image.fromarray(frame).save(tmp_path / "frame.bmp")
    with serving(Echo()) as addresses:
        arguments = (
            tmp_path / "frame.bmp",
            f"--output={tmp_path / 'out.bmp'}",
            "--scale=2",
            f"--server={addresses.grpc}",
        )
        assert command(*arguments)[0] == 0
    np.testing.assert_array_equal(np.asarray(Image.open(tmp_path / "out.bmp"))[::2, ::2], frame)


def test_another_kind_of_answer_is_an_error(tmp_path, monkeypatch):
    monkeypatch.setattr(
        Echo, "run", lambda self, *_: {"upscaled": np.zeros((1, 3, 3, 3), np.uint8)}
    )
    photo().save(tmp_path / "a.png")
    with serving(Echo()) as addresses:
        arguments = (
            tmp_path / "a.png",
            f"--output={tmp_path / 'b.png'}",
            "--scale=2",
            f"--server={addresses.grpc}",
        )
        code, out, err = command(*arguments)
    assert (
        code == 1
        and "a.png: the server answered with an array of shape (3, 3, 3), not an image of that size"
        in err
    )


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ([], "name images or folders of them"),
        (["{}"], "--output is empty"),
        (["{}/none", "--output=x"], "none: no such file or folder"),
        (["{}", "--output={}/a.png"], "is a file; name a folder"),
        (["{}/a.png", "--output={}"], "a.png: is one of the "),
        (["{}", "--output={}/x", "--deadline=0"], "--deadline=0: must be above 0"),
        (["{}", "--output={}/x", "--deadline=nan"], "--deadline=nan: must be above 0"),
        (["{}", "--output={}/x", "--retries=-1"], "--retries=-1: must be from 0 to 100"),
        (["{}", "--output={}/x", "--concurrency=65"], "--concurrency=65: must be from 1 to 64"),
        (["{}", "--output={}/x", "--server=nowhere"], "--server=nowhere: must be HOST:PORT"),
        (["{}", "--output={}/x", "--server=http://a:1"], "--server=http://a:1: must be HOST:PORT"),
        (["{}", "--output={}/x", "--server=a:99999"], "--server=a:99999: must be HOST:PORT"),
        (
            ["{}", "--output={}/x", "--server=nowhere.invalid:1"],
            "nowhere.invalid:1: cannot be reached",
        ),
    ],
)
def test_mistakes_are_one_line(images, arguments, reason):
    original = state(images)
    code, out, err = command(*(argument.replace("{}", str(images)) for argument in arguments))
    assert code == 1 and reason in err and err.startswith("error: ") and err.count("\n") == 1
    assert state(images) == original


def test_without_the_stubs_it_says_what_to_install(images, monkeypatch):
    monkeypatch.setattr(client.importlib.util, "find_spec", lambda name: None)
    assert "pip install tensorflow-serving-api" in command(images, f"--output={images / 'x'}")[2]
