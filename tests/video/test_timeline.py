"""The clock of a file that starts anew: frames follow each other, and sound stays in step."""

import itertools
from fractions import Fraction

import pytest

av = pytest.importorskip("av", reason="the extra 'video' is not installed")

from rts_tf.video.reader import VideoReader  # noqa: E402
from rts_tf.video.timeline import Timeline  # noqa: E402
from tests.support.rewriting import rewrite  # noqa: E402
from tests.support.videos import contents, make  # noqa: E402

FRAME = 3003  # ticks of 1/90000 s
PARTS = {
    "broadcast.ts": {"audio": "mp2"},
    "disc.vob": {"audio": "mp2", "codec": "mpeg2video", "options": {"bf": "2"}},
    "silent.vob": {"codec": "mpeg2video", "options": {}},
}


def later(path, seconds: int):
    """A copy whose clock is ``seconds`` ahead."""
    moved = path.with_name(f"later {path.name}")
    with av.open(str(path)) as source, av.open(str(moved), "w") as output:
        copies = [output.add_stream_from_template(stream) for stream in source.streams]
        for packet in source.demux():
            if packet.size:
                ticks = round(seconds / packet.time_base)
                packet.pts, packet.dts = packet.pts + ticks, packet.dts + ticks
                packet.stream = copies[packet.stream_index]
                output.mux(packet)
    return moved


def in_step(path) -> list[list[Fraction]]:
    """The times of video and sound after the first frame."""
    with VideoReader(path) as reader:
        unit = reader.info.time_base
        frames = [frame.time * unit for frame in reader.frames()]
        mended = reader.survey().timeline.mended(reader.at_start().demux())
        sound = [p.pts * p.time_base for p in mended if p.size and p.stream.type == "audio"]
    return [[time - frames[0] for time in times] for times in (frames, sound)]


@pytest.mark.parametrize("name", PARTS)
@pytest.mark.parametrize("ahead", [0, 100])
def test_joined_recordings_are_on_one_clock(tmp_path, name, ahead):
    short = make(tmp_path / f"short.{name}", count=15, **PARTS[name])
    long = make(tmp_path / f"long.{name}", count=31, **PARTS[name])
    parts = [long, later(short, ahead) if ahead else short, long]
    joined = tmp_path / name
    joined.write_bytes(b"".join(path.read_bytes() for path in parts))
    with VideoReader(joined) as reader:
        survey = reader.survey()
        assert len(survey.timeline.offsets) == 3
        assert not any(damage for damage in survey.damage.values())
        times = [frame.time for frame in reader.frames()]
        assert not reader.damage
    assert {b - a for a, b in itertools.pairwise(times)} == {FRAME} and len(times) == 77
    if "audio" not in PARTS[name]:
        return
    sound = in_step(joined)[1]
    alone, start = [in_step(long)[1], in_step(parts[1])[1]], Fraction(FRAME, 90000)
    assert len(sound) == 2 * len(alone[0]) + len(alone[1])
    for own, begin, first in (
        (alone[0], 0, 0),
        (alone[1], 31 * start, len(alone[0])),
        (alone[0], 46 * start, len(alone[0]) + len(alone[1])),
    ):
        found = [time - begin for time in sound[first : first + len(own)]]
        assert max(abs(a - b) for a, b in zip(found, own)) < Fraction(1, 500)


@pytest.mark.parametrize("suffix", [".mkv", ".mp4", ".ts"])
def test_joined_recordings_are_written(tmp_path, suffix):
    part = make(tmp_path / "part.ts", count=15, audio="aac")
    joined = tmp_path / "joined.ts"
    joined.write_bytes(2 * part.read_bytes())
    rewrite(joined, tmp_path / f"out{suffix}")
    found = contents(tmp_path / f"out{suffix}")
    steps = [float(b - a) for a, b in itertools.pairwise(found.times)]
    assert len(steps) == 29 and max(steps) < 0.0345 and min(steps) > 0.032
    sound = [time for time, _ in found.copied[1]]
    assert sound == sorted(set(sound)) and len(sound) == len(contents(joined).copied[1])
    assert float(abs(sound[-1] - found.times[-1])) < 0.05


def test_recordings_of_a_few_frames_without_durations_are_joined(tmp_path):
    slow, part = make(tmp_path / "slow.ts", count=3), tmp_path / "part.ts"
    with av.open(str(slow)) as source, av.open(str(part), "w") as output:
        copy = output.add_stream_from_template(source.streams.video[0])
        for i, packet in enumerate(packet for packet in source.demux() if packet.size):
            packet.pts, packet.dts, packet.stream = packet.pts // 2, i * FRAME // 2, copy
            output.mux(packet)
    joined = tmp_path / "joined.ts"
    joined.write_bytes(3 * part.read_bytes())
    with VideoReader(joined) as reader:
        times = [frame.time for frame in reader.frames()]
    assert len(times) == 9
    assert {b - a for a, b in itertools.pairwise(times)} <= {FRAME // 2, FRAME // 2 + 1}


@pytest.mark.parametrize("short", ["video", "audio"])
def test_streams_that_do_not_end_together_are_in_step_after_the_joint(tmp_path, short):
    whole = make(tmp_path / "whole.ts", count=31, audio="mp2", options={"bf": "0"})
    part = tmp_path / "part.ts"
    with av.open(str(whole)) as source, av.open(str(part), "w") as output:
        copies = [output.add_stream_from_template(stream) for stream in source.streams]
        end = source.start_time / av.time_base + 0.75
        for packet in source.demux():
            if packet.size and (packet.stream.type != short or packet.pts * packet.time_base < end):
                packet.stream = copies[packet.stream_index]
                output.mux(packet)
    joined = tmp_path / "joined.ts"
    joined.write_bytes(2 * part.read_bytes())
    with VideoReader(joined) as reader:
        assert len(reader.survey().timeline.offsets) == 2
    (frames, sound), (alone, its) = in_step(joined), in_step(part)
    assert len(frames) == 2 * len(alone) and len(sound) == 2 * len(its)
    moved = {b - a - frames[len(alone)] for a, b in zip(its, sound[len(its) :])}
    assert max(map(abs, moved)) < Fraction(1, 1000)


@pytest.mark.parametrize("name", ["gaps.mkv", "gaps.mp4", "gaps.ts"])
def test_a_gap_is_no_new_clock(tmp_path, name):
    """Frames ten seconds apart are ten seconds apart, but in a broadcast."""
    part = make(tmp_path / f"part-{name}", count=4, audio="aac")
    path = tmp_path / name
    with av.open(str(part)) as source, av.open(str(path), "w") as output:
        copies = [output.add_stream_from_template(stream) for stream in source.streams]
        numbers = [0, 0]
        for packet in source.demux():
            if packet.size:
                index, wait = packet.stream_index, 9 if name.endswith(".ts") else 60
                ticks = round(wait / packet.time_base) if numbers[index] > 1 else 0
                numbers[index] += 1
                packet.pts += ticks
                packet.dts = None if packet.dts is None else packet.dts + ticks
                packet.stream = copies[index]
                output.mux(packet)
    with VideoReader(path) as reader:
        timeline, times = reader.survey().timeline, [frame.time for frame in reader.frames()]
        assert timeline == Timeline()
        assert (times[-1] - times[0]) * reader.info.time_base > 8


def test_times_of_showing_that_go_back_give_way_to_those_of_decoding(tmp_path):
    """As in a file that has the order of decoding twice, which no player shows in that order."""
    source, path = make(tmp_path / "in.mp4", count=12), tmp_path / "bad.mp4"
    with av.open(str(source)) as container, av.open(str(path), "w") as output:
        copy = output.add_stream_from_template(container.streams.video[0])
        for number, packet in enumerate(p for p in container.demux() if p.size):
            packet.pts = packet.dts = FRAME * number
            packet.stream = copy
            output.mux(packet)
    with VideoReader(path) as reader:
        times = [frame.time for frame in reader.frames()]
    steps = [b - a for a, b in itertools.pairwise(times)]
    assert len(times) == 12 and steps.count(FRAME) >= 8 and min(steps) > 0


def test_one_time_that_is_nonsense_moves_no_other_frame(tmp_path):
    """A flipped bit may put a frame 13 hours ahead."""
    good = make(tmp_path / "good.ts", count=12, audio="mp2")
    with VideoReader(good) as reader:
        expected = [frame.time for frame in reader.frames()]
    path, wild = tmp_path / "in.ts", 0
    with av.open(str(good)) as source, av.open(str(path), "w") as output:
        copies = [output.add_stream_from_template(stream) for stream in source.streams]
        for packet in source.demux():
            if packet.size:
                if packet.stream_index == 0 and packet.pts == expected[5]:
                    packet.pts, wild = packet.pts + 2**32, wild + 1
                packet.stream = copies[packet.stream_index]
                output.mux(packet)
    with VideoReader(path) as reader:
        times = [frame.time for frame in reader.frames()]
        assert len(reader.survey().timeline.wild) == wild == 1
    moved = [a - b - times[0] + expected[0] for a, b in zip(times, expected)]
    assert len(times) == 12 and all(abs(ticks) < FRAME for ticks in moved)
    assert moved.count(0) >= 11
