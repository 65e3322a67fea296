"""The threads of a decoder do not wait for Python's lock while it waits for them."""

import subprocess
import sys

import pytest

pytest.importorskip("av", reason="the extra 'video' is not installed")

from tests.support.paths import ROOT  # noqa: E402
from tests.support.videos import make  # noqa: E402

# FFmpeg's log is read for 20 ms without giving Python's lock to another thread, instead of some
# microseconds. Meanwhile the threads report damaged frames.
READ = """
import itertools, sys, time
import av.logging
from rts_tf.video.container import close_input, open_input
from rts_tf.video.ffmpeg_text import count_of_streams

real = av.logging.set_level

def slow(level):
    real(level)
    began = time.monotonic()
    while level == av.logging.INFO and time.monotonic() - began < 0.02:
        pass

sys.setswitchinterval(1000)
av.logging.set_level = slow
for frames in 6 * list(range(3, 20)):
    container = open_input(sys.argv[1])
    container.streams.video[0].thread_type = "AUTO"
    packets = container.demux(video=0)
    list(itertools.islice((frame for packet in packets for frame in packet.decode()), frames))
    assert count_of_streams(container) == 1
    close_input(container)
print("closed")
"""


def test_a_damaged_broadcast_is_closed(tmp_path):
    video = make(tmp_path / "in.ts", count=24, size=(640, 360))
    damaged = bytearray(video.read_bytes())
    for packet in range(188 * 40, len(damaged), 188 * 3):
        damaged[packet + 100] ^= 255
    video.write_bytes(damaged)
    done = subprocess.run(
        [sys.executable, "-c", READ, video], cwd=ROOT, capture_output=True, text=True, timeout=120
    )
    assert done.stdout == "closed\n", done.stderr
