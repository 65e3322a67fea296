"""The command that runs an exported TFLite file on an image or on video."""

import argparse
import os
import pathlib
import re
import signal
import sys
from typing import NoReturn

from . import __version__
from .errors import SettopError
from .images import WRITTEN, read_image, write_image
from .litert import Network
from .progress import Progress
from .sources import is_stream
from .streams import FORMATS, LUMA
from .tiles import spans
from .video import run_stream

# Where this folder lies alone on a device, its name is "settop".
PROGRAM = f"python -m {__package__}"
USAGE = "{program} MODEL.tflite INPUT --output=PATH [flags]"
ABOUT = """\
Run an exported TFLite file on an image or on video: YUV4MPEG2 (.y4m), or with
--size raw frames. "-" is standard input, and as --output standard output.
A file for luma leaves the bytes of chroma as they are. An image or video that
is smaller than the file's frame is extended by its border.
"""
EXAMPLES = """\
Examples:
  {program} enhance_int8.tflite photo.jpg --output=better.png
  ffmpeg -v error -i in.mp4 -f yuv4mpegpipe - |
    {program} luma_int8.tflite - --output=- | mpv -
  ffmpeg -v error -i in.mp4 -f rawvideo -pix_fmt yuv420p - |
    {program} enhance_int8.tflite - --output=- --size=1920x1080 |
    ffmpeg -v error -f rawvideo -pix_fmt yuv420p -s 1920x1080 -r 25 -i - out.mp4

It needs ai-edge-litert, numpy and pillow, and neither TensorFlow nor the rest
of rts_tf.
"""
ALIASES = {"i420": "yuv420p"}
# How ffmpeg names formats of more than 8 bits: yuv420p10le, p010, y210, rgb48be, gray16
HIGH_BITS = re.compile(r"(?!nv)[a-z0-9]*?(9|1[0246]|48|64)([lb]e)?")


class _UsageError(Exception):
    """The command line is not as --help says."""


class _Parser(argparse.ArgumentParser):
    """A parser whose errors are one line."""

    def error(self, message: str) -> NoReturn:
        raise _UsageError(f"{message}; see --help")


def main(arguments: list[str], program: str = PROGRAM) -> int:
    """Run the command.

    Args:
        arguments: those of the command line, without the name of the program.
        program: how the user calls it, for the help screen.

    Returns:
        The exit code: 0, 1 after an error, 2 if the command line is wrong, or 130 after Ctrl-C.
    """
    parser = _parser(program)
    if not arguments:
        parser.print_help(sys.stderr)
        return 2
    try:
        _run(_parsed(parser, arguments))
        return 0
    except _UsageError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("stopped.", file=sys.stderr)
        return 130
    except BrokenPipeError:
        reason = "the program that reads the frames has ended"
    except (SettopError, OSError) as error:
        reason = str(error)
    print(f"error: {reason}", file=sys.stderr)
    return 1


def run(program: str = "") -> None:
    """Run the command on the arguments of the process, and end it with the exit code.

    Args:
        program: how the user calls it; empty: as the name of the process says.
    """
    name = os.path.basename(sys.argv[0]).removesuffix(".exe")
    program = program or (PROGRAM if name.endswith(".py") else name)
    for output_stream in (sys.stdout, sys.stderr):
        if hasattr(output_stream, "reconfigure"):
            output_stream.reconfigure(errors="backslashreplace")
    # A process that a script starts in the background ignores SIGINT.
    for stop in (signal.SIGINT, signal.SIGTERM):
        signal.signal(stop, signal.default_int_handler)
    sys.exit(main(sys.argv[1:], program))


def _parser(program: str) -> _Parser:
    parser = _Parser(
        prog=program,
        usage=USAGE.format(program=program),
        description=ABOUT,
        epilog=EXAMPLES.format(program=program),
        formatter_class=argparse.RawDescriptionHelpFormatter,
        add_help=False,
    )
    add = parser.add_argument
    add("-h", "--help", "--helpfull", action="help", help="show this screen")
    about = f"rts_tf {__version__}, the runner for devices"
    add("--version", action="version", help="print the version", version=about)
    add("model", metavar="MODEL.tflite", type=pathlib.Path, help="a .tflite file of rts_tf.export")
    text = "an image or a file of video; - for video on standard input"
    add("input", metavar="INPUT", help=text)
    text = "the image or file to write; - for frames to standard output"
    add("-o", "--output", metavar="PATH", required=True, help=text)
    add("-q", "--quiet", action="store_true", help="print errors alone")
    add(
        "--threads",
        metavar="N",
        type=int,
        default=min(4, os.cpu_count() or 1),
        help="threads on the CPU",
    )
    text = "shared library with the LiteRT delegate of an NPU or GPU"
    add("--delegate", metavar="LIBRARY", default="", help=text)
    add("--delegate_options", metavar="KEY=VALUE,...", default="", help="for the delegate")
    text = "longest side of a tile, for a file that takes any size"
    add("--tile", metavar="N", type=int, default=0, help=text)
    text = "receptive radius of the network, for a file that does not say it"
    add("--overlap", metavar="N", type=int, default=-1, help=text)
    add("--size", metavar="WxH", default="", help="of the raw frames that come in")
    text = f"of raw frames, in and out: {', '.join((*FORMATS, *ALIASES))}"
    add("--format", type=_format, default=FORMATS[0], help=text)
    text = "of yuv420p and nv12, if the network takes RGB; their range is limited"
    add("--matrix", choices=list(LUMA), default="bt709", help=text)
    return parser


def _parsed(parser: _Parser, arguments: list[str]) -> argparse.Namespace:
    """Parse the command line. Raises _UsageError, or ends the process after --help."""
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


def _format(name: str) -> str:
    """Return the format of raw frames that a user names."""
    name = ALIASES.get(name.lower(), name.lower())
    if name not in FORMATS:
        known = f"is none of {', '.join((*FORMATS, *ALIASES))}"
        reason = "has more than 8 bits a sample" if HIGH_BITS.fullmatch(name) else known
        hint = f"let ffmpeg convert it (-pix_fmt {FORMATS[0]})"
        raise argparse.ArgumentTypeError(f"{name} {reason}; {hint}")
    return name


def _run(flags: argparse.Namespace) -> None:
    video = bool(flags.size) or is_stream(flags.input)
    _check_output(flags, video)
    options = dict(pair.split("=") for pair in flags.delegate_options.split(",") if pair)
    network = Network(flags.model, flags.threads, flags.delegate, options)
    (run_stream if video else _run_image)(network, flags)


def _check_output(flags: argparse.Namespace, video: bool) -> None:
    """Raise SettopError, before anything is done, if the output cannot be written."""
    path = pathlib.Path(flags.output)
    if not video:
        if flags.output == "-":
            raise SettopError("--output=-: is for video; for raw frames name their --size")
        if path.suffix.lower() not in WRITTEN:
            raise SettopError(
                f"--output={path}: must end in {', '.join(WRITTEN)}; for raw frames name their"
                " --size"
            )
    elif flags.output == "-" and sys.stdout.isatty():
        raise SettopError(
            "--output=-: frames are not for a terminal; send them into a pipe or a file"
        )
    if flags.output != "-":
        if path.is_dir() or not path.parent.is_dir():
            raise SettopError(
                f"--output={path}: {'is' if path.is_dir() else 'its folder is not'} a directory"
            )
        if path.exists() and os.path.exists(flags.input) and os.path.samefile(path, flags.input):
            raise SettopError(f"--output={path}: is the input itself")


def _run_image(network: Network, flags: argparse.Namespace) -> None:
    if network.luma:
        raise SettopError(
            f"{flags.model}: is a file for luma, and for video alone; for images take one for RGB,"
            " or rts_tf.enhance"
        )
    image, extras = read_image(flags.input)
    height, width, _ = image.shape
    size, radius = network.tile_size(height, width, flags.tile, flags.overlap)
    total = len(spans(height, size[0], radius)) * len(spans(width, size[1], radius))
    progress = Progress("tiles", total, flags.quiet)
    result = network.run_tiles(image, size, radius, progress.advance)
    seconds = progress.end()
    lost = write_image(pathlib.Path(flags.output), result, extras)
    if flags.quiet:
        return
    tiles = f" in {progress.done} tiles of {size[1]}x{size[0]}" if progress.done else ""
    if total == 1 and size != (height, width):
        tiles = f", extended to {size[1]}x{size[0]} by its border"
    print(
        f"{flags.output}: {result.shape[1]}x{result.shape[0]}, {seconds:.2f} s{tiles}",
        file=sys.stderr,
    )
    if lost:
        print(
            f"note: {flags.input}: not kept: {', '.join(lost)}; rts_tf.enhance keeps what it can",
            file=sys.stderr,
        )
