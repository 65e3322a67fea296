"""The runner for devices: in this process, and as a copy on a device without TensorFlow."""

import ast
import pathlib
import platform
import shutil
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from skimage import data

import rts_tf
from rts_tf.inference import Enhancer
from rts_tf.settop import command
from rts_tf.settop.litert import Network
from rts_tf.settop.sources import Source
from rts_tf.settop.streams import Stream
from rts_tf.settop.tiles import spans

pytest.importorskip("ai_edge_litert", reason="LiteRT is not installed (the extra 'device')")
from tests.support.exported import NETWORK, SIZE, converted  # noqa: E402

LARGER = 97, 130
IMAGE = np.ascontiguousarray(data.chelsea()[60 : 60 + LARGER[0], 90 : 90 + LARGER[1]])
FRAMES = [
    np.ascontiguousarray(data.chelsea()[20 * i : 20 * i + SIZE[0], : SIZE[1]]) for i in range(4)
]
RAW = f"--size={SIZE[1]}x{SIZE[0]}"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Files for SIZE, one for any size, one for the larger image, and images."""
    folder = tmp_path_factory.mktemp("box")
    for head, precision in (
        ("enhance", "int8"),
        ("enhance", "float32"),
        ("enhance", "dynamic"),
        ("upscale", "float16"),
    ):
        (folder / f"{head}_{precision}.tflite").write_bytes(converted(head, precision))
    (folder / "whole_int8.tflite").write_bytes(converted("enhance", "int8", LARGER))
    Image.fromarray(IMAGE).save(folder / "cat.png")
    (folder / "frames.rgb").write_bytes(b"".join(frame.tobytes() for frame in FRAMES))
    return folder


def network(folder, name):
    return Network(folder / f"{name}.tflite", 1)


def tiled(opened, longest=0):
    return opened.run_tiles(IMAGE, *opened.tile_size(*LARGER, longest))


@settings(max_examples=100, deadline=None)
@given(
    st.integers(1, 400), st.integers(1, 90), st.integers(0, 12), st.sampled_from((1, 1, 2, 4, 8))
)
def test_spans_cover_every_pixel_once_and_far_enough_from_their_ends(size, length, radius, pack):
    blocks = (length - radius) // pack - -(-radius // pack)  # that are left of a tile
    if length < size and blocks < 1:
        with pytest.raises(ValueError, match="cannot be covered"):
            spans(size, length, radius, pack)
        return
    written = np.zeros(size, int)
    for read, inner, write in spans(size, length, radius, pack):
        written[write] += 1
        assert read.stop - read.start == length and 0 <= read.start < size
        assert (read.start + inner.start, read.start + inner.stop) == (write.start, write.stop)
        assert write.start - read.start >= radius or read.start == write.start == 0
        assert read.stop - write.stop >= radius or read.stop >= write.stop == size
        assert read.start % pack == write.start % pack == 0
        assert read.stop - size < pack or length > size
    assert (written == 1).all()


def test_tiles_equal_the_whole_image(folder):
    integers, anything = network(folder, "enhance_int8"), network(folder, "enhance_dynamic")
    assert (integers.size, integers.radius, anything.size) == (SIZE, 7, (0, 0))
    whole = network(folder, "whole_int8").run(IMAGE)
    np.testing.assert_array_equal(tiled(integers), whole)
    assert (integers.run_tiles(IMAGE, SIZE, 0) != whole).any()  # seams, where tiles do not overlap
    # Sums in floating point may depend on their order, which LiteRT chooses.
    levels = 0 if platform.machine() in ("x86_64", "AMD64") else 1
    whole = anything.run(IMAGE).astype(int)
    np.testing.assert_allclose(tiled(anything, 40), whole, atol=levels, rtol=0)


@pytest.mark.parametrize("name", ["enhance_float32", "upscale_float16"])
def test_the_image_is_that_of_the_network(folder, name):
    opened = network(folder, name)
    wanted = getattr(Enhancer(NETWORK), opened.head)(IMAGE)
    made = tiled(opened)
    assert made.shape == wanted.shape and np.abs(made.astype(int) - wanted).max() <= 1
    assert (made == wanted).mean() > (0.999 if "32" in name else 0.9)


def test_on_a_device(folder, tmp_path):
    """A copy where TensorFlow and this package cannot be imported gets frames through pipes."""
    shutil.copytree(pathlib.Path(command.__file__).parent, tmp_path / "settop")
    blocked = ("tensorflow", "keras", "rts_tf", "absl", "rich", "cv2", "scipy", "skimage")
    start = f"import runpy, sys; sys.modules |= dict.fromkeys({blocked}); "
    start += "runpy.run_module('settop', None, '__main__')"
    arguments = [
        sys.executable,
        "-c",
        start,
        str(folder / "enhance_int8.tflite"),
        "-",
        "--output=-",
        "--format=rgb24",
        RAW,
    ]
    done = subprocess.run(
        arguments,
        cwd=tmp_path,
        input=(folder / "frames.rgb").read_bytes(),
        capture_output=True,
        timeout=100,
    )
    assert done.returncode == 0, done.stderr
    opened = network(folder, "enhance_int8")
    assert done.stdout == b"".join(opened.run(frame).tobytes() for frame in FRAMES)
    assert (
        b"4 whole frames to standard output" in done.stderr
        and b"frames/s, the network alone" in done.stderr
    )


def test_an_image(folder, tmp_path, capsys):
    assert (
        command.main(
            [
                str(folder / "enhance_int8.tflite"),
                str(folder / "cat.png"),
                f"--output={tmp_path / 'a.png'}",
            ]
        )
        == 0
    )
    np.testing.assert_array_equal(
        np.asarray(Image.open(tmp_path / "a.png")), tiled(network(folder, "enhance_int8"))
    )
    assert "a.png: 130x97, " in capsys.readouterr().err and [
        p.name for p in tmp_path.iterdir()
    ] == ["a.png"]


@pytest.mark.parametrize("format", ["rgb24", "yuv420p", "nv12"])
def test_a_file_of_frames_twice_the_size(folder, tmp_path, format):
    opened, path = network(folder, "upscale_float16"), tmp_path / "made"
    stream = Stream(format, *SIZE)
    (tmp_path / "in").write_bytes(b"".join(map(stream.from_rgb, FRAMES)))
    arguments = [
        str(folder / "upscale_float16.tflite"),
        str(tmp_path / "in"),
        f"--output={path}",
        RAW,
        f"--format={format}",
    ]
    assert command.main(arguments) == 0
    made = stream.scaled(2)
    assert path.read_bytes() == b"".join(
        made.from_rgb(opened.run(stream.to_rgb(stream.from_rgb(frame)))) for frame in FRAMES
    )


@pytest.mark.parametrize("name", ["enhance_int8", "upscale_float16"])
def test_a_stream_that_says_its_size(folder, tmp_path, name):
    """YUV4MPEG2: only the sides change in the header."""
    opened, stream = network(folder, name), Stream("yuv420p", *SIZE)
    head = b"YUV4MPEG2 W66 H50 F25:1 C420jpeg XH66\n"
    came = list(map(stream.from_rgb, FRAMES))
    (tmp_path / "in").write_bytes(head + b"".join(b"FRAME\n" + frame for frame in came))
    arguments = [str(folder / f"{name}.tflite"), str(tmp_path / "in")]
    assert command.main([*arguments, f"--output={tmp_path / 'out'}"]) == 0
    made = stream.scaled(opened.scale)
    assert (tmp_path / "out").read_bytes() == (
        head.replace(b"W66 H50", b"W%d H%d" % (made.width, made.height))
        + b"".join(b"FRAME\n" + made.from_rgb(opened.run(stream.to_rgb(frame))) for frame in came)
    )


@pytest.mark.parametrize(
    "head, reason",
    [
        (b"W66 H50 C444", "yuv444p of 66x50: a network of RGB takes 4:2:0 alone"),
        (b"W67 H50", "yuv420p of 67x50: with one sample of chroma for 2x2 pixels"),
        (b"W66 H50 XCOLORRANGE=FULL", "is of full range, and a network of RGB takes limited"),
    ],
)
def test_a_stream_that_does_not_fit_rgb(folder, tmp_path, capsys, head, reason):
    (tmp_path / "in").write_bytes(b"YUV4MPEG2 " + head + b"\n")
    arguments = [str(folder / "enhance_int8.tflite"), str(tmp_path / "in")]
    assert command.main([*arguments, f"--output={tmp_path / 'out'}"]) == 1
    assert reason in capsys.readouterr().err and not (tmp_path / "out").exists()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_stopped_while_waiting_for_a_frame(folder, tmp_path, number):
    """Two frames and a half have come: two are in the file, and it says so."""
    arguments = [
        sys.executable,
        "-m",
        "rts_tf.settop",
        str(folder / "enhance_int8.tflite"),
        "-",
        "--format=rgb24",
        RAW,
    ]
    process = subprocess.Popen(
        [*arguments, f"--output={tmp_path / 'out'}"], stdin=subprocess.PIPE, stderr=subprocess.PIPE
    )
    length, until = FRAMES[0].nbytes, time.monotonic() + 60
    process.stdin.write((folder / "frames.rgb").read_bytes()[: 5 * length // 2])
    process.stdin.flush()
    while sum(path.stat().st_size for path in tmp_path.iterdir()) < 2 * length:
        assert process.poll() is None and time.monotonic() < until
        time.sleep(0.02)
    process.send_signal(number)
    assert process.wait(20) == 130
    said = process.stderr.read().decode()
    assert "2 whole frames in " in said and said.endswith("stopped.\n") and "Traceback" not in said
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
    assert (tmp_path / "out").stat().st_size == 2 * length


def test_frames_that_came_before_an_end_too_soon_are_kept(folder, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(Source, "count", lambda source: None)  # as of a pipe
    (tmp_path / "in").write_bytes((folder / "frames.rgb").read_bytes()[:-1])
    arguments = [
        str(folder / "enhance_int8.tflite"),
        str(tmp_path / "in"),
        f"--output={tmp_path / 'out'}",
        RAW,
    ]
    assert command.main([*arguments, "--format=rgb24"]) == 1
    said = capsys.readouterr().err
    assert "3 whole frames in " in said and "ends within frame 4, after 9899 of 9900 bytes" in said
    assert (tmp_path / "out").stat().st_size == 3 * FRAMES[0].nbytes


WRONG = {
    "no file": ("nowhere.tflite cat.png --output=o.png", "nowhere.tflite: no such file"),
    "not a network": ("cat.png cat.png --output=o.png", "cat.png: cannot be opened"),
    "no image": (
        "enhance_int8.tflite a.png --output=o.png",
        "a.png: cannot be read as an image (No such file",
    ),
    "frames without a size": (
        "enhance_int8.tflite frames.rgb --output=o.png",
        "for raw frames name their --size",
    ),
    "a suffix": ("enhance_int8.tflite cat.png --output=o.gif", "--output=o.gif: must end in .png"),
    "a folder": (
        "enhance_int8.tflite cat.png --output=a/o.png",
        "--output=a/o.png: its folder is not a directory",
    ),
    "onto itself": (
        "enhance_int8.tflite cat.png --output=cat.png",
        "--output=cat.png: is the input itself",
    ),
    "a tile": (
        "enhance_int8.tflite cat.png --output=o.png --tile=9",
        "--tile=9: is for files of any size",
    ),
    "a small tile": (
        "enhance_dynamic.tflite cat.png --output=o.png --tile=14",
        "--tile=14 leaves nothing of a tile",
    ),
    "half a frame": (
        "enhance_int8.tflite frames.rgb --output=o --size=66x60",
        "39600 bytes are not a number of yuv420p",
    ),
    "odd chroma": (
        "enhance_int8.tflite frames.rgb --output=o --size=67x50",
        "yuv420p of 67x50: with one sample",
    ),
    "no delegate": (
        "enhance_int8.tflite cat.png --output=o.png --delegate=no.so",
        "--delegate=no.so: cannot be loaded (no.so",
    ),
}


# Wrong use of the command line has the exit code 2, as in other commands.
MISUSED = {
    "no output": ("enhance_int8.tflite cat.png", "required: -o/--output; see --help"),
    "threads": (
        "enhance_int8.tflite cat.png --output=o.png --threads=0",
        "--threads=0: must be at least 1",
    ),
    "a size": (
        "enhance_int8.tflite frames.rgb --output=o --size=66",
        "--size=66: must be width x height",
    ),
    "an unknown flag": (
        "enhance_int8.tflite cat.png --output=o.png --outputs=a",
        "unrecognized arguments: --outputs=a; see --help",
    ),
}


@pytest.mark.parametrize("kind", [*WRONG, *MISUSED])
def test_mistakes_are_one_line(kind, folder, capfd, monkeypatch):
    monkeypatch.chdir(folder)
    before = {path: path.read_bytes() for path in folder.iterdir()}
    arguments, reason = (WRONG | MISUSED)[kind]
    assert command.main(arguments.split()) == (2 if kind in MISUSED else 1)
    said = [
        line
        for line in capfd.readouterr().err.splitlines()
        if not line.startswith(("INFO", "WARNING"))
    ]
    assert len(said) == 1 and said[0].startswith("error: ") and reason in said[0]
    assert {path: path.read_bytes() for path in folder.iterdir()} == before


def test_screens(capsys):
    assert command.main([], "rts settop") == 2
    screen = capsys.readouterr().err
    for flag in ("--help", "--version"):
        with pytest.raises(SystemExit) as ended:
            command.main([flag], "rts settop")
        assert not ended.value.code
    said = capsys.readouterr().out
    assert screen in said and "\n  rts settop enhance_int8.tflite photo.jpg --output" in screen
    assert said.endswith(f"rts_tf {rts_tf.__version__}, the runner for devices\n")


def test_modules_import_each_other_by_relative_names():
    """They are copied to a device, where the folder has another name and stands alone."""
    for path in pathlib.Path(command.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom):
                assert node.level <= 1, path
                names = [] if node.level else [node.module]
            foreign = {name.partition(".")[0] for name in names} - sys.stdlib_module_names
            assert foreign <= {"ai_edge_litert", "numpy", "PIL"}, path


def extended(image, size):
    """An image with its last row and column repeated, up to a size."""
    sides = [(0, whole - side) for whole, side in zip(size, image.shape)]
    return np.pad(image, [*sides, (0, 0)], mode="edge")


@pytest.mark.parametrize("name", ["enhance_int8", "enhance_float32", "upscale_float16"])
@pytest.mark.parametrize("height, width", [(20, 20), (1, 1), (50, 40), (30, 66)])
def test_an_image_that_is_smaller_than_the_frame(folder, tmp_path, capsys, name, height, width):
    """What comes out is what the network makes of the image with its border repeated."""
    opened, small = network(folder, name), IMAGE[:height, :width]
    Image.fromarray(small).save(tmp_path / "in.png")
    arguments = [str(folder / f"{name}.tflite"), str(tmp_path / "in.png")]
    assert command.main([*arguments, f"--output={tmp_path / 'out.png'}"]) == 0
    wanted = opened.run(extended(small, SIZE))[: opened.scale * height, : opened.scale * width]
    np.testing.assert_array_equal(np.asarray(Image.open(tmp_path / "out.png")), wanted)
    assert "s, extended to 66x50 by its border\n" in capsys.readouterr().err


def test_an_image_that_is_smaller_on_one_side_and_larger_on_the_other(folder):
    """Its tiles are those of the image with its border repeated to the height of the frame."""
    opened, flat = network(folder, "enhance_int8"), IMAGE[:31]
    made = opened.run_tiles(flat, *opened.tile_size(*flat.shape[:2]))
    whole = extended(flat, (SIZE[0], LARGER[1]))
    wanted = opened.run_tiles(whole, *opened.tile_size(*whole.shape[:2]))
    np.testing.assert_array_equal(made, wanted[:31])


@pytest.mark.parametrize("name", ["enhance_int8", "upscale_float16"])
def test_a_stream_that_is_smaller_than_the_frame(folder, tmp_path, name):
    opened, stream = network(folder, name), Stream("yuv420p", 34, 38)
    head = b"YUV4MPEG2 W38 H34 F25:1 C420mpeg2\n"
    came = [stream.from_rgb(np.ascontiguousarray(frame[:34, :38])) for frame in FRAMES]
    (tmp_path / "in").write_bytes(head + b"".join(b"FRAME\n" + frame for frame in came))
    arguments = [str(folder / f"{name}.tflite"), str(tmp_path / "in")]
    assert command.main([*arguments, f"--output={tmp_path / 'out'}"]) == 0
    made, scale = stream.scaled(opened.scale), opened.scale
    results = [opened.run(extended(stream.to_rgb(frame), SIZE)) for frame in came]
    wanted = [
        made.from_rgb(np.ascontiguousarray(result[: scale * 34, : scale * 38]))
        for result in results
    ]
    line = head.replace(b"W38 H34", b"W%d H%d" % (made.width, made.height))
    assert (tmp_path / "out").read_bytes() == line + b"".join(b"FRAME\n" + w for w in wanted)


def test_a_file_that_does_not_say_its_radius(folder, monkeypatch):
    opened = network(folder, "enhance_int8")
    opened.radius = None
    with pytest.raises(
        command.SettopError, match="export it again, or name the radius with --overlap"
    ):
        opened.tile_size(*LARGER)
    assert opened.tile_size(*LARGER, overlap=9) == (SIZE, 9) and opened.tile_size(*SIZE) == (
        SIZE,
        0,
    )


DELEGATE = r"""
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
struct delegate {
  void *data;
  int (*prepare)(void *, struct delegate *);
  void *copies[3];
  int64_t flags;
  void *builder;
};
static int prepare(void *context, struct delegate *self) {
  fprintf(stderr, "prepared\n");
  return 0;
}
void *tflite_plugin_create_delegate(
    char **keys, char **values, size_t count, void (*report)(const char *)) {
  struct delegate *made = calloc(1, sizeof *made);
  made->prepare = prepare;
  if (count == 2)
    fprintf(stderr, "%s is %s, %s is %s\n", keys[0], values[0], keys[1], values[1]);
  else report("it needs two options");
  return count == 2 ? made : NULL;
}
void tflite_plugin_destroy_delegate(void *made) { free(made); }
"""


@pytest.mark.skipif(not shutil.which("cc"), reason="no C compiler to build a delegate with")
def test_a_delegate_gets_the_network_and_its_options(folder, tmp_path, capfd):
    (tmp_path / "delegate.c").write_text(DELEGATE)
    library = tmp_path / "delegate.so"
    subprocess.run(["cc", "-shared", "-fPIC", "-o", library, tmp_path / "delegate.c"], check=True)
    arguments = [
        str(folder / "enhance_int8.tflite"),
        str(folder / "cat.png"),
        f"--output={tmp_path / 'o.png'}",
    ]
    assert command.main([*arguments, f"--delegate={library}"]) == 1
    assert (
        "cannot be loaded (Failed to load delegate" in (said := capfd.readouterr().err)
        and "it needs two options)" in said
    )
    assert (
        command.main(
            [*arguments, f"--delegate={library}", "--delegate_options=backends=CpuAcc,power=low"]
        )
        == 0
    )
    said = capfd.readouterr().err
    assert (
        "backends is CpuAcc, power is low" in said
        and "prepared" in said
        and (tmp_path / "o.png").exists()
    )


def test_an_image_that_was_stopped_leaves_nothing(folder, tmp_path, capsys, monkeypatch):
    def stop(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("os.replace", stop)  # at the last moment
    arguments = [
        str(folder / "enhance_int8.tflite"),
        str(folder / "cat.png"),
        f"--output={tmp_path / 'a.png'}",
    ]
    assert (
        command.main(arguments) == 130
        and capsys.readouterr().err.endswith("stopped.\n")
        and not list(tmp_path.iterdir())
    )


@pytest.mark.skipif(not pathlib.Path("/dev/full").exists(), reason="no device that is always full")
def test_a_full_disk_is_an_error(folder, capsys):
    arguments = [
        str(folder / "enhance_int8.tflite"),
        str(folder / "frames.rgb"),
        "--output=/dev/full",
        RAW,
        "--format=rgb24",
    ]
    assert command.main(arguments) == 1
    assert (
        "error: /dev/full: cannot be written (No space left on device)\n" in capsys.readouterr().err
    )
