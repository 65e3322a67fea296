"""FFmpeg's filter ``unsharp`` between the decoder and the encoder that the command uses.

It is a peer of benchmarks.video and runs in a process of its own, see
:mod:`benchmarks.peer_process`.
"""

import functools
import pathlib
from collections.abc import Callable
from typing import Any

import av

from rts_tf.video.encoders import Coding, add_video
from rts_tf.video.reader import VideoReader


def open_peer(arguments: dict[str, Any]) -> dict[str, Callable[[], None]]:
    """Prepare the filter.

    Args:
        arguments: ``video``, the path of the clip, and ``sharpened``, that of the video to write.

    Returns:
        ``unsharp``, which writes the whole video.
    """
    video, sharpened = (pathlib.Path(arguments[name]) for name in ("video", "sharpened"))
    return {"unsharp": functools.partial(write_sharpened, video, sharpened)}


def write_sharpened(video: pathlib.Path, sharpened: pathlib.Path) -> None:
    """Write the video through FFmpeg's unsharp mask and the encoder that the command uses."""
    with VideoReader(video) as reader:
        info = reader.info
    with av.open(str(video)) as source, av.open(str(sharpened), "w") as output:
        stream = source.streams.video[0]
        stream.thread_type = "AUTO"
        encoder, graph = add_video(output, info, Coding("h264", 17)), av.filter.Graph()
        steps = [
            graph.add_buffer(template=stream),
            graph.add("unsharp", "5:5:1.0:5:5:0"),
            graph.add("buffersink"),
        ]
        graph.link_nodes(*steps).configure()
        for frame in source.decode(stream):
            graph.push(frame)
            output.mux(encoder.encode(graph.pull()))
        output.mux(encoder.encode(None))
