"""Takes a stream through a network: a thread reads, one computes, and one writes."""

import argparse
import collections
import concurrent.futures
import sys
import time

import numpy as np

from .errors import SettopError
from .files import FrameFile
from .litert import Network
from .progress import Progress
from .sources import Frame, Source, ahead
from .streams import LumaAlone, Stream, ThroughRgb


class Times:
    """Sums up what frames take, in memory that does not grow with their number.

    Attributes:
        network: seconds of the network alone.
        longest: the most seconds from the end of a frame's reading to the end of its writing.
    """

    def __init__(self):
        """Start at nothing."""
        self.network = self.longest = 0.0
        self._seconds: collections.Counter[float] = collections.Counter()

    def add(self, seconds: float) -> None:
        """Count the latency of a frame."""
        self.longest = max(self.longest, seconds)
        self._seconds[float(f"{seconds:.3g}")] += 1

    def latency(self) -> str:
        """Return the median, to three digits, and the largest latency in words."""
        seen, half, median = 0, self._seconds.total() / 2, 0.0
        for median in sorted(self._seconds):
            seen += self._seconds[median]
            if seen >= half:
                break
        return f"latency {1000 * median:.1f} ms (median), {1000 * self.longest:.1f} ms (largest)"


def run_stream(network: Network, flags: argparse.Namespace) -> None:
    """Read frames, run the network on them, and write them.

    A frame is written as soon as it is computed. Meanwhile the next is computed and the one behind
    it is read, no further ahead, so that memory and delay stay the same however long the stream is.

    Args:
        network: is open.
        flags: of the command.

    Raises:
        BrokenPipeError: if nobody reads the pipe any more.
        SettopError: if the stream cannot be read or written; whole frames were written then.
    """
    source = _opened(flags)
    view = _view(network, source, flags.input)
    tiles = network.tile_size(source.stream.height, source.stream.width, flags.tile, flags.overlap)
    progress, times = Progress("frames", source.count(), flags.quiet), Times()
    output, head = FrameFile(flags.output), source.header and source.header.scaled(network.scale)

    def write(frame: Frame, result: np.ndarray) -> None:
        line = frame.line if output.count or not head else head + frame.line
        output.write(line, *view.parts(result, frame.data))
        times.add(time.monotonic() - frame.read)

    stopped = False
    try:
        with concurrent.futures.ThreadPoolExecutor(1) as writer:
            written = None
            for frame, image in ahead((each, view.image(each.data)) for each in source.frames()):
                began = time.monotonic()
                result = network.run_tiles(image, *tiles)
                times.network += time.monotonic() - began
                progress.advance()
                if written:
                    written.result()
                written = writer.submit(write, frame, result)
            if not written:
                raise SettopError(f"{flags.input}: holds no frame")
            written.result()
    except BrokenPipeError:
        stopped = True
        raise
    finally:  # whole frames are kept even if the command was stopped
        elapsed = progress.end()
        output.close()
        if output.count and not stopped and not flags.quiet:
            pace = f"{output.count / elapsed:.2f} frames/s, the network alone"
            pace += f" {1000 * times.network / progress.done:.1f} ms a frame"
            where = "to standard output" if flags.output == "-" else f"in {flags.output}"
            print(
                f"{output.count} whole frames {where}, {elapsed:.1f} s: {pace}; {times.latency()}",
                file=sys.stderr,
            )


def _opened(flags: argparse.Namespace) -> Source:
    """Open the stream that the flags name."""
    if not flags.size:
        return Source(flags.input, None, flags.matrix)
    width, height = map(int, flags.size.split("x"))
    return Source(flags.input, Stream(flags.format, height, width, flags.matrix))


def _view(network: Network, source: Source, name: str) -> LumaAlone | ThroughRgb:
    """Choose what the network sees of a frame. Raises SettopError if it can take no frame."""
    if network.luma:
        return LumaAlone(source.stream)
    if source.header and source.header.full:
        raise SettopError(
            f"{name}: is of full range, and a network of RGB takes limited range; let ffmpeg"
            " convert it (-vf scale=out_range=limited), or take a file for luma"
        )
    return ThroughRgb(source.stream, network.scale)
