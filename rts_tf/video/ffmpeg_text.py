"""What FFmpeg says about a file in its log only, since PyAV has no names for it."""

import contextlib
import io
import logging
import re
from collections.abc import Iterator

import av
import av.logging
from av.container import InputContainer

from rts_tf.video.container import rest

_QUIET = -8  # AV_LOG_QUIET
# Decoders of other threads may say something meanwhile, which is not for the user.
logging.getLogger("libav").addHandler(logging.NullHandler())
logging.getLogger("libav").propagate = False


@contextlib.contextmanager
def lines_of(level: int) -> Iterator[list[tuple[int, str, str]]]:
    """Collect what FFmpeg says in this thread while the body runs, up to a level of its log."""
    av.logging.set_libav_level(level)
    av.logging.set_level(level)
    try:
        with av.logging.Capture() as lines:
            yield lines
    finally:
        # PyAV's own way to silence FFmpeg fails, with lines of its own, in a thread that is about
        # to say something. FFmpeg's way does not.
        av.logging.set_level(av.logging.PANIC)
        av.logging.set_libav_level(_QUIET)
        av.logging.restore_default_callback()


def chroma_location(container: InputContainer, stream_index: int) -> str:
    """Where the chroma samples of a video lie.

    Call this before anything is decoded. Decoders say more at this level of the log, and their
    threads would wait for this one while it waits for them.

    Returns:
        FFmpeg's name, e.g. "topleft"; empty if the file does not say it.
    """
    with lines_of(av.logging.DEBUG):
        text = container.dumps_format()  # type: ignore[attr-defined]  # PyAV's types lack it
    names = "left|center|topleft|top|bottomleft|bottom"
    about = rf"Stream #0:{stream_index}\b[^\n]*? Video: [^\n]*?\([^()\n]*?\b({names})\)"
    found = re.search(about, text)
    return found[1] if found else ""


def count_of_streams(container: InputContainer) -> int:
    """How many streams FFmpeg has found by now. Broadcasts may have some that begin late.

    PyAV knows only those that were there when the file was opened. What the decoders have is lost.
    """
    rest(container)
    with lines_of(av.logging.INFO):
        text: str = container.dumps_format()  # type: ignore[attr-defined]  # PyAV's types lack it
    return len(re.findall(r"^  Stream #0:", text, re.MULTILINE))


def headers_of(codec: str, data: bytes) -> str:
    """All fields of the parameter sets ``data`` of a video, one a line, as FFmpeg lists them.

    Args:
        codec: FFmpeg's name of the codec, e.g. "h264".
        data: In the form of a stream of bytes (Annex B).

    Raises:
        av.error.FFmpegError: They are damaged.
    """
    # PyAV 17.1, the last release for Python 3.10, takes no codec for a filter, but a stream.
    with av.open(io.BytesIO(), "w", format="matroska") as container:
        stream = container.add_mux_stream(codec)
        reader = av.bitstream.BitStreamFilterContext("trace_headers", stream)
        with lines_of(av.logging.INFO) as lines:
            reader.filter(av.Packet(data))
    return "".join(text for _, _, text in lines)
