"""Damaged files: what can be read is read, what cannot is left out and reported."""

import itertools
from fractions import Fraction

import numpy as np
import pytest

av = pytest.importorskip("av", reason="the extra 'video' is not installed")

from rts_tf.errors import VideoError  # noqa: E402
from rts_tf.video.damage import Damage, to_the_end  # noqa: E402
from rts_tf.video.muxers import LEAVE_OUT  # noqa: E402
from rts_tf.video.reader import VideoReader  # noqa: E402
from rts_tf.video.trials import Trial  # noqa: E402
from rts_tf.video.wishes import Wishes  # noqa: E402
from tests.support.rewriting import codecs, rewrite  # noqa: E402
from tests.support.videos import contents, make, planes  # noqa: E402

PACKET = 188  # bytes of a transport stream
VIDEO, SOUND = 256, 257  # the numbers that FFmpeg gives to the first two streams in it


def without_packets(path, pid: int, *lost: int) -> None:
    """Lose packets of a transport stream, by their numbers among those of a stream."""
    data, kept, number = path.read_bytes(), bytearray(), 0
    for start in range(0, len(data), PACKET):
        packet = data[start : start + PACKET]
        if int.from_bytes(packet[1:3], "big") & 0x1FFF == pid:
            number += 1
            if number - 1 in lost:
                continue
        kept += packet
    assert number > max(lost)
    path.write_bytes(kept)


@pytest.mark.parametrize("suffix", [".mkv", ".mp4", ".ts"])
def test_a_bad_packet_of_sound_is_left_out(tmp_path, suffix):
    path = make(tmp_path / "in.ts", audio="aac", count=60)
    before = contents(path).copied[1]
    without_packets(path, SOUND, 12)
    (line,) = [
        line for line in rewrite(path, tmp_path / f"out{suffix}") if "audio stream 1" in line
    ]
    assert line.startswith("its audio stream 1 is damaged ") and line.endswith(" left out")
    found = contents(tmp_path / f"out{suffix}")
    assert len(found.times) == 60 and 0 < len(before) - len(found.copied[1]) < 6
    assert len(_decoded_sound(tmp_path / f"out{suffix}")) == len(found.copied[1])


def _decoded_sound(path) -> list:
    with av.open(str(path)) as container:  # raises if a packet is damaged
        return [f for p in container.demux(audio=0) if p.size for f in p.decode()]


def test_lost_packets_of_the_video_are_reported(tmp_path):
    options = {"crf": "10", "preset": "veryfast", "g": "10"}
    path = make(tmp_path / "in.ts", audio="mp2", count=60, options=options)
    without_packets(path, VIDEO, 100, 101, 102, 200)
    with VideoReader(path) as reader:
        survey, frames = reader.survey(), list(reader.frames())
        found = max(survey.damage[0], reader.damage, key=lambda damage: damage.count)
    assert 1 <= found.count < 20 and "at 0:0" in found.where()
    assert 50 <= len(frames) <= 60
    assert rewrite(path, tmp_path / "out.mkv") == []  # nothing of the sound
    assert len(planes(tmp_path / "out.mkv")) == len(frames)


def test_frames_after_damage_at_the_very_end_are_read(tmp_path):
    """Threads of the decoder give up together; one by one, frames after the bad ones are there."""
    path = make(tmp_path / "in.mp4", count=40, options={"crf": "10", "g": "5", "bf": "0"})
    with av.open(str(path)) as container:
        packets = [(p.pos, p.size) for p in container.demux() if p.size]
    data = bytearray(path.read_bytes())
    for position, size in packets[-9:-6]:
        data[position : position + size] = np.random.default_rng(1).bytes(size)
    path.write_bytes(data)
    with VideoReader(path) as reader:
        times = [frame.time for frame in reader.frames()]
        assert reader.damage.count >= 1
    assert times[-1] == 39 * 3003 and len(times) >= 35
    with VideoReader(path) as reader:
        assert [frame.time for frame in reader.frames()] == times


def test_reading_goes_on_after_an_error():
    """FFmpeg may report one in the middle of a file, and read what comes after it."""
    one, two, three = (av.Packet(bytes(size)) for size in (1, 2, 3))
    parts = iter([[one, two, av.error.InvalidDataError(1, "damaged")], [three]])

    def demux():
        for item in next(parts):
            if isinstance(item, Exception):
                raise item
            yield item

    assert list(to_the_end(demux, [])) == [one, two, three]

    def broken():
        raise av.error.OSError(5, "the disk is broken")
        yield

    with pytest.raises(OSError, match="the disk is broken"):
        list(to_the_end(broken, []))


def test_a_video_that_never_ends_in_errors_ends(tmp_path):
    calls = itertools.count()

    def demux():
        next(calls)
        raise av.error.InvalidDataError(1, "damaged")
        yield

    with av.open(str(make(tmp_path / "in.mkv", count=2))) as container:
        (last,) = to_the_end(demux, [container.streams[0]])
        assert last.size == 0 and last.stream_index == 0
    assert 10 < next(calls) < 10_000


def test_where_the_damage_is():
    damage = Damage()
    assert not damage
    for pts in (9000, 99000, 189000):
        packet = av.Packet(b"x")
        packet.pts, packet.time_base = pts, Fraction(1, 90000)
        damage.pass_by(packet)
        if pts == 99000:
            damage.note()
            assert damage.where() == "at 0:01.0"
    damage.note()
    assert damage.count == 2 and damage.where() == "in 2 packets, the first at 0:01.0"


def test_sound_that_no_container_takes_as_it_is_does_not_end_the_work(tmp_path, monkeypatch):
    """A muxer that refuses a packet at the end costs this packet."""
    path = make(tmp_path / "in.mkv", audio="aac", count=30)
    from rts_tf.video.others import Others

    real, number = Others.mux, itertools.count()

    def mux(self, packet, output):
        if packet.stream.type == "data" and next(number) == 5:
            packet = _no_aac(packet)
        real(self, packet, output)

    monkeypatch.setattr(Others, "mux", mux)
    (line,) = rewrite(path, tmp_path / "out.ts", subtitles="none")[-1:]
    assert "left out" in line and codecs(tmp_path / "out.ts") == ["h264", "aac"]


def _no_aac(packet):
    bad = av.Packet(b"x")
    bad.pts, bad.dts, bad.time_base, bad.stream = (
        packet.pts,
        packet.dts,
        packet.time_base,
        packet.stream,
    )
    return bad


def test_streams_that_begin_late_are_reported(tmp_path):
    """FFmpeg looks for streams in the first five megabytes of packets, and at the end."""
    lossless = {"qp": "0", "g": "1", "preset": "ultrafast"}
    silent = make(tmp_path / "a.ts", count=25, size=(640, 480), options=lossless)
    spoken = make(tmp_path / "b.ts", audio="mp2", count=6)
    assert silent.stat().st_size > 5.5e6
    path = tmp_path / "in.ts"
    path.write_bytes(silent.read_bytes() + spoken.read_bytes() + silent.read_bytes())
    late = "1 of its streams begin late in the file and were left out"
    for video, notes in ((path, (late,)), (spoken, ())):
        with VideoReader(video) as reader:
            assert reader.survey().notes == notes


def test_remains_of_sound_do_not_refuse_a_video(tmp_path, monkeypatch):
    """Neither a stream without packets, nor one with a few that cannot be read."""
    make(tmp_path / "plain.mkv", count=12, audio="libopus")
    source = tmp_path / "in.mkv"
    with av.open(str(tmp_path / "plain.mkv")) as video, av.open(str(source), "w") as output:
        copies = [output.add_stream_from_template(stream) for stream in video.streams]
        for packet in video.demux(video=0):
            if packet.size:
                packet.stream = copies[0]
                output.mux(packet)
    lines = rewrite(source, tmp_path / "out.mov")
    assert lines == ["its audio stream 1 (opus) was left out, since it is empty"]
    assert codecs(tmp_path / "out.mov") == ["h264"]
    monkeypatch.setattr(Trial, "_works", lambda *arguments: False)
    with VideoReader(tmp_path / "plain.mkv") as reader:
        samples, sound = reader.survey().samples, reader.container.streams.audio[0]
        assert len(samples[1]) >= 8
        target, file = tmp_path / "out.mov", tmp_path / "trial.mov"
        few = Trial(target, file, {1: samples[1][:3]})
        assert few.way_for(sound, Wishes()) == LEAVE_OUT
        with pytest.raises(VideoError, match="`audio`=none leaves it out"):
            Trial(target, file, samples).way_for(sound, Wishes())
        with pytest.raises(VideoError, match="as `audio`=copy asks"):
            few.way_for(sound, Wishes(audio="copy"))
