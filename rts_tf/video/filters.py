"""Filters of FFmpeg for the frames of a video."""

from collections.abc import Iterator

import av
from av.filter import Graph


def filter_graph(first: av.VideoFrame, *filters: tuple[str, dict[str, str]]) -> Graph:
    """Return filters, one after the other, for frames like ``first``.

    Args:
        filters: The names and the options of FFmpeg's filters.

    Raises:
        av.error.FFmpegError: They do not take such frames.
    """
    graph = Graph()
    source = graph.add(
        "buffer",
        video_size=f"{first.width}x{first.height}",
        pix_fmt=first.format.name,
        time_base=str(first.time_base or 1),
        pixel_aspect="1/1",
        colorspace=str(int(first.colorspace)),
        range=str(int(first.color_range)),
    )
    chain = [source, *(graph.add(name, **options) for name, options in filters)]
    graph.link_nodes(*chain, graph.add("buffersink")).configure()
    return graph


def pulled(graph: Graph) -> Iterator[av.VideoFrame]:
    """Yield the frames that are ready behind the filters."""
    while True:
        try:
            yield graph.vpull()
        except (av.error.BlockingIOError, av.error.EOFError):
            return
