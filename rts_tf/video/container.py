"""Opens media files with FFmpeg, through PyAV, and puts FFmpeg's errors into words."""

import contextlib
import os
from collections.abc import Iterator

import av
import av.logging
from av.container import InputContainer, OutputContainer

from rts_tf import limits
from rts_tf.errors import VideoError
from rts_tf.video import demuxers
from rts_tf.video.animated_webp import as_mov, is_animated_webp

av.logging.set_level(None)  # FFmpeg's own lines about damage: everything that matters is raised


# FFmpeg otherwise decodes the first seconds of a file to find out what its header does not say.
_BY_THE_HEADER = {"probesize": "32", "analyzeduration": "1", "skip_frame": "all"}


def open_input(path: str | os.PathLike, container: str = "") -> InputContainer:
    """Open a file to read it.

    Args:
        path: The file.
        container: FFmpeg's name of a container whose header says everything about the streams, if
            the file is one. It is opened without decoding anything.

    Raises:
        av.error.FFmpegError: FFmpeg cannot read the file.
        VideoError: The file is of a format that is not read (:mod:`rts_tf.video.demuxers`), or
            beyond a limit (:mod:`rts_tf.limits`).
    """
    if os.path.isfile(path) and limits.FILE_OF_VIDEO.exceeded_by(os.path.getsize(path)):
        raise VideoError(f"{os.fspath(path)}: {limits.FILE_OF_VIDEO.reason}")
    options = demuxers.OPTIONS | (_BY_THE_HEADER if container else {})
    file = as_mov(path) if not container and is_animated_webp(path) else _absolute(path)
    try:
        opened = av.open(file, "r", container or None, options=options, metadata_errors="replace")
    except av.error.ArgumentError:  # what FFmpeg says of a format that is not on the list
        raise VideoError(
            f"{os.fspath(path)}: is no video that can be read: damaged, or none of {demuxers.NAMES}"
        ) from None
    if reason := _beyond_limits(opened):
        opened.close()
        raise VideoError(f"{os.fspath(path)}: {reason}")
    return opened


def _beyond_limits(container: InputContainer) -> str:
    """Why an opened file asks for more than a video may; empty if it does not."""
    if limits.STREAMS.exceeded_by(len(container.streams)):
        return limits.STREAMS.reason
    if limits.SECONDS.exceeded_by((container.duration or 0) / av.time_base):
        return limits.SECONDS.reason
    for stream in container.streams.video:
        context = stream.codec_context
        if context is None:
            continue
        if limits.FRAME.exceeded_by(context.width * context.height):
            return limits.FRAME.reason
        if not limits.are_lifted():  # frames may be larger than the header says
            context.options = {**context.options, "max_pixels": str(int(limits.FRAME.most))}
    return ""


def open_output(
    path: str | os.PathLike, container: str, options: dict[str, str] | None = None
) -> OutputContainer:
    """Open a file to write it.

    Args:
        path: The file.
        container: FFmpeg's name of the container, e.g. "matroska".
        options: FFmpeg's options of the container.

    Raises:
        OSError: The file cannot be written.
    """
    return av.open(
        _absolute(path),
        "w",
        format=container,
        container_options=options or {},
        metadata_errors="replace",
    )


def close_input(container: InputContainer) -> None:
    """Close a file whose frames were decoded, once its decoders rest.

    Closing alone holds Python's lock while it waits for the threads of a decoder, and one of them
    may wait for this lock to say something (:mod:`rts_tf.video.ffmpeg_text`).
    """
    rest(container)
    container.close()


def rest(container: InputContainer) -> None:
    """Let the decoders forget what they have, and wait for their threads."""
    for stream in container.streams.video:
        if stream.codec_context:
            stream.codec_context.flush_buffers()  # without Python's lock


def _absolute(path: str | os.PathLike) -> str:
    # FFmpeg takes what precedes the colon in "12:30.mp4" for a protocol.
    return os.path.abspath(path)


@contextlib.contextmanager
def errors_name(path: str | os.PathLike) -> Iterator[None]:
    """Raise what FFmpeg raises in the body as a VideoError that names the file ``path``."""
    try:
        yield
    except av.error.FFmpegError as error:
        empty = os.path.isfile(path) and not os.path.getsize(path)
        reason = "is empty" if empty else f"cannot be read as a video ({error.strerror})"
        raise VideoError(f"{os.fspath(path)}: {reason}") from None
