"""Run an exported TFLite file on a device.

Usage: ``python -m export.settop.run MODEL.tflite INPUT --output=PATH``.

INPUT is an image or, with --size, a stream of raw frames; ``-`` is standard input (as --output,
standard output):

    python -m export.settop.run enhance_int8.tflite photo.jpg --output=better.png
    ffmpeg -v error -i in.mp4 -f rawvideo -pix_fmt yuv420p - |
        python -m export.settop.run enhance_int8.tflite - --output=- --size=1920x1080 |
        ffmpeg -v error -f rawvideo -pix_fmt yuv420p -s 1920x1080 -r 25 -i - out.mp4

It needs ai-edge-litert, numpy and pillow, and neither TensorFlow nor rts_tf: copying the folder
``export`` to the device is enough.
"""

import argparse
import concurrent.futures
import os
import pathlib
import re
import signal
import sys
import time

from export.settop.errors import SettopError
from export.settop.files import WRITTEN, FrameFile, read_image, write_image
from export.settop.litert import Network
from export.settop.progress import Progress
from export.settop.streams import FORMATS, LUMA, Stream, ahead, frames_of
from export.settop.tiles import spans


class _Parser(argparse.ArgumentParser):
    """A parser whose errors are one line."""

    def error(self, message: str):
        raise SettopError(f"{message}; see --help")


def main(arguments: list[str]) -> int:
    """Run the command with ``arguments``; return the exit code."""
    try:
        _run(_parsed(arguments))
        return 0
    except KeyboardInterrupt:
        print("stopped.", file=sys.stderr)
        return 130
    except BrokenPipeError:
        reason = "the program that reads the frames has ended"
    except (SettopError, OSError) as error:
        reason = str(error)
    print(f"error: {reason}", file=sys.stderr)
    return 1


def _parsed(arguments: list[str]) -> argparse.Namespace:
    parser = _Parser(
        prog="python -m export.settop.run",
        description=__doc__,
        formatter_class=argparse.RawTextHelpFormatter,
    )
    add = parser.add_argument
    add("model", type=pathlib.Path, help="a .tflite file of rts_tf.export")
    add("input", help="an image; with --size a file of raw frames, or - for standard input")
    text = "the image or file to write; - for frames to standard output"
    add("--output", required=True, help=text)
    add("--threads", type=int, default=min(4, os.cpu_count() or 1), help="threads on the CPU")
    text = "shared library with the LiteRT delegate of an NPU or GPU"
    add("--delegate", default="", help=text)
    add("--delegate_options", default="", help="for the delegate: key=value,...")
    text = "longest side of a tile, for a file that takes any size"
    add("--tile", type=int, default=0, help=text)
    text = "receptive radius of the network, for a file that does not say it"
    add("--overlap", type=int, default=-1, help=text)
    add("--size", default="", help="WxH of the raw frames that come in")
    add("--format", choices=FORMATS, default=FORMATS[0], help="of raw frames, in and out")
    text = "of yuv420p, whose range is limited"
    add("--matrix", choices=list(LUMA), default="bt709", help=text)
    flags = parser.parse_args(arguments)
    for name, least in (("threads", 1), ("tile", 0), ("overlap", -1)):
        if getattr(flags, name) < least:
            parser.error(f"--{name}={getattr(flags, name)}: must be at least {least}")
    if flags.size and not re.fullmatch(r"[1-9]\d*x[1-9]\d*", flags.size):
        parser.error(f"--size={flags.size}: must be width x height, as in 1920x1080")
    pairs = r"[^=,]+=[^=,]*(,[^=,]+=[^=,]*)*"
    if flags.delegate_options and not re.fullmatch(pairs, flags.delegate_options):
        parser.error(f"--delegate_options={flags.delegate_options}: must be key=value,key=value")
    return flags


def _run(flags: argparse.Namespace) -> None:
    _check_output(flags)
    options = dict(pair.split("=") for pair in flags.delegate_options.split(",") if pair)
    network = Network(flags.model, flags.threads, flags.delegate, options)
    (_run_stream if flags.size else _run_image)(network, flags)


def _check_output(flags: argparse.Namespace) -> None:
    """Raise SettopError, before anything is done, if the output cannot be written."""
    path = pathlib.Path(flags.output)
    if not flags.size:
        if flags.input == "-" or flags.output == "-":
            raise SettopError("-: is for raw frames, which need their --size")
        if path.suffix.lower() not in WRITTEN:
            raise SettopError(
                f"--output={path}: must end in {', '.join(WRITTEN)}; for raw frames name their"
                " --size"
            )
    elif flags.output == "-" and sys.stdout.isatty():
        raise SettopError(
            "--output=-: raw frames are not for a terminal; send them into a pipe or a file"
        )
    if flags.output != "-":
        if path.is_dir() or not path.parent.is_dir():
            raise SettopError(
                f"--output={path}: {'is' if path.is_dir() else 'its folder is not'} a directory"
            )
        if path.exists() and os.path.exists(flags.input) and os.path.samefile(path, flags.input):
            raise SettopError(f"--output={path}: is the input itself")


def _run_image(network: Network, flags: argparse.Namespace) -> None:
    image, profile = read_image(flags.input)
    height, width, _ = image.shape
    size, radius = network.tile_size(height, width, flags.tile, flags.overlap)
    total = len(spans(height, size[0], radius)) * len(spans(width, size[1], radius))
    progress = Progress("tiles", total)
    result = network.run_tiles(image, size, radius, progress.advance)
    seconds = progress.end()
    write_image(pathlib.Path(flags.output), result, profile)
    tiles = f" in {progress.done} tiles of {size[1]}x{size[0]}" if progress.done else ""
    print(
        f"{flags.output}: {result.shape[1]}x{result.shape[0]}, {seconds:.2f} s{tiles}",
        file=sys.stderr,
    )


def _run_stream(network: Network, flags: argparse.Namespace) -> None:
    """Read frames, run the network on them, and write them, in a thread each."""
    width, height = map(int, flags.size.split("x"))
    if flags.format == "yuv420p" and (height % 2 or width % 2):
        raise SettopError(
            f"--size={flags.size}: yuv420p, with one sample of chroma for 2x2 pixels, needs even"
            " sides"
        )
    stream = Stream(flags.format, height, width, flags.matrix)
    made = stream.scaled(network.scale)
    size, radius = network.tile_size(height, width, flags.tile, flags.overlap)
    total = _frames_in(flags.input, stream)
    # The thread that reads may outlive this function.
    source = open(0 if flags.input == "-" else flags.input, "rb", buffering=0)  # noqa: SIM115
    progress, output = Progress("frames", total), FrameFile(flags.output)
    alone = 0.0  # seconds of the network alone
    try:
        with concurrent.futures.ThreadPoolExecutor(1) as writer:
            written = None
            for frame in ahead(frames_of(source, stream, flags.input)):
                began = time.monotonic()
                result = network.run_tiles(frame, size, radius)
                alone += time.monotonic() - began
                if written:
                    written.result()
                written = writer.submit(lambda frame=result: output.write(made.from_rgb(frame)))
                progress.advance()
            if not written:
                raise SettopError(f"{flags.input}: holds no frame")
            written.result()
    finally:  # whole frames are kept even if the command was stopped
        elapsed = progress.end()
        output.close()
        if output.count:
            pace = f"{output.count / elapsed:.2f} frames/s, the network alone"
            pace += f" {1000 * alone / progress.done:.1f} ms a frame"
            where = "to standard output" if flags.output == "-" else f"in {flags.output}"
            print(f"{output.count} whole frames {where}, {elapsed:.1f} s: {pace}", file=sys.stderr)


def _frames_in(path: str, stream: Stream) -> int | None:
    """Return the number of frames in a file; None for a pipe or device.

    Raises:
        SettopError: if the last frame is not whole.
    """
    if path == "-" or (os.path.exists(path) and not os.path.isfile(path)):
        return None
    if not os.path.isfile(path):
        raise SettopError(f"{path}: no such file")
    length = os.path.getsize(path)
    if not length or length % stream.bytes:
        raise SettopError(
            f"{path}: {length} bytes are not a number of {stream.kind} frames of"
            f" {stream.width}x{stream.height}, of {stream.bytes} bytes each; do --size and --format"
            " fit?"
        )
    return length // stream.bytes


if __name__ == "__main__":
    for output_stream in (sys.stdout, sys.stderr):
        output_stream.reconfigure(errors="backslashreplace")
    # A process that a script starts in the background ignores SIGINT.
    for stop in (signal.SIGINT, signal.SIGTERM):
        signal.signal(stop, signal.default_int_handler)
    sys.exit(main(sys.argv[1:]))
