"""What a container cannot hold is found before the work: converted, refused, or reported."""

import contextlib
from fractions import Fraction
from types import SimpleNamespace

import numpy as np
import pytest

av = pytest.importorskip("av", reason="the extra 'video' is not installed")

from rts_tf.errors import VideoError  # noqa: E402
from rts_tf.video import streams  # noqa: E402
from rts_tf.video.others import Others  # noqa: E402
from rts_tf.video.suffixes import OUTPUT_SUFFIXES  # noqa: E402
from tests.support.rewriting import codecs, payload, rewrite  # noqa: E402
from tests.support.videos import make  # noqa: E402

MPEG2 = {"codec": "mpeg2video", "options": {}}


@pytest.mark.parametrize(
    ("name", "audio", "kept"),
    [
        ("in.mov", "pcm_s16le", {".mov", ".mkv", ".mp4", ".m4v"}),
        ("in.mov", "pcm_mulaw", {".mov", ".mkv"}),
        ("in.wmv", "wmav2", {".mov", ".mkv"}),
        ("in.mkv", "libopus", {".mp4", ".m4v", ".mkv", ".webm", ".ts"}),
        ("in.ts", "mp2", {".mp4", ".m4v", ".mov", ".mkv", ".ts"}),
        ("in.ts", "aac", {".mp4", ".m4v", ".mov", ".mkv", ".ts"}),
        ("in.mkv", "ac3", {".mp4", ".m4v", ".mov", ".mkv", ".ts"}),
        ("in.avi", "adpcm_ms", {".mkv"}),
    ],
)
def test_sound_is_copied_where_it_can_be_read_again_and_else_converted(tmp_path, name, audio, kept):
    source = make(tmp_path / name, audio=audio, count=12)
    copied = set()
    for suffix in OUTPUT_SUFFIXES:
        lines = rewrite(source, tmp_path / f"out{suffix}")
        codec = codecs(tmp_path / f"out{suffix}")[1]
        about = [line for line in lines if "audio stream 1" in line]
        if about:
            wanted = "opus" if suffix == ".webm" else "aac"
            assert codec == wanted and f", since {suffix} cannot hold it as it is" in about[0]
        else:
            copied.add(suffix)
            assert codec in (codecs(source)[1], "mp3")  # as MPEG audio may be called
    assert copied == kept


@pytest.mark.parametrize("name", ["in.ogv", "in.mkv"])
@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv"])
def test_sound_whose_packets_do_not_say_how_long_they_last_is_whole(tmp_path, name, suffix):
    """The last packet of Ogg says nonsense, and those of ALAC in Matroska say nothing."""
    source, target = tmp_path / name, tmp_path / f"out{suffix}"
    audio = "vorbis" if name == "in.ogv" else "alac"
    if audio == "vorbis":
        _write_ogg(source)
    else:
        make(source, audio=audio, rate=44100, count=12)
    lines = rewrite(source, target)
    if lines:
        assert (audio, suffix) == ("vorbis", ".mov") and "became AAC" in lines[0]
    else:
        assert codecs(target)[1] == audio and payload(target, "audio") == payload(source, "audio")
    with av.open(str(target)) as container:
        assert abs(container.duration / av.time_base - 12 * 1001 / 30000) < 0.1


def _write_ogg(path) -> None:
    """A video whose sound ends within a packet."""
    make(path.with_suffix(".webm"), codec="libvpx", count=12, options={"cpu-used": "8"})
    with av.open(str(path.with_suffix(".webm"))) as video, av.open(str(path), "w") as output:
        copy = output.add_stream_from_template(video.streams.video[0])
        sound = output.add_stream("vorbis", rate=44100, options={"strict": "-2"})
        for packet in video.demux():
            if packet.size:
                packet.stream = copy
                output.mux(packet)
        for start in range(0, 17640, 1024):
            samples = np.full((2, min(1024, 17640 - start)), 0.1, np.float32)
            frame = av.AudioFrame.from_ndarray(samples, "fltp", "stereo")
            frame.sample_rate, frame.pts, frame.time_base = 44100, start, Fraction(1, 44100)
            output.mux(sound.encode(frame))
        output.mux(sound.encode(None))
    with av.open(str(path)) as container:
        last = [packet for packet in container.demux(audio=0) if packet.size][-1]
        assert last.duration > 2**31


def test_sound_that_a_container_plays_too_fast_is_converted(tmp_path):
    source = make(tmp_path / "in.flv", audio="adpcm_swf", rate=44100, layout="mono", count=12)
    (line,) = rewrite(source, tmp_path / "out.mov")
    assert "audio stream 1 (adpcm_swf) became AAC, since .mov cannot hold it as it is" in line


def test_a_packet_that_fails_at_the_end_costs_no_video(tmp_path, monkeypatch):
    """Packets wait in FFmpeg, so an error may come up with the end of the file."""
    source = make(tmp_path / "in.mkv", audio="aac", count=6)
    end = Others.end

    def fails(self, output):
        def close():
            output.close()
            raise av.error.ArgumentError(22, "Invalid argument")

        end(self, SimpleNamespace(close=close))

    monkeypatch.setattr(Others, "end", fails)
    (line,) = rewrite(source, tmp_path / "out.mp4")
    assert line.startswith("its other streams are damaged at ") and line.endswith("; 1 left out")
    assert codecs(tmp_path / "out.mp4") == ["h264", "aac"]


def test_pcm_of_a_dvd_becomes_pcm_with_the_same_samples(tmp_path):
    source = make(tmp_path / "in.vob", audio="pcm_dvd", **MPEG2)
    (line,) = rewrite(source, tmp_path / "out.mkv")
    assert "audio stream 1 (pcm_dvd) became PCM without loss, since .mkv cannot hold it" in line
    before, after = (_samples(path) for path in (source, tmp_path / "out.mkv"))
    np.testing.assert_array_equal(before, after)


@contextlib.contextmanager
def beside(video, path, layout):
    """A file with the frames of ``video`` and a stream of PCM that is to be filled."""
    with av.open(str(video)) as frames, av.open(str(path), "w") as output:
        copy = output.add_stream_from_template(frames.streams.video[0])
        sound = output.add_stream("pcm_s16le", rate=48000, layout=layout)
        for packet in frames.demux():
            if packet.size:
                packet.stream = copy
                output.mux(packet)
        yield output, sound


def _samples(path) -> np.ndarray:
    with av.open(str(path)) as container:
        return np.concatenate([f.to_ndarray() for f in container.decode(audio=0)], axis=1)


def test_converted_sound_is_in_step(tmp_path):
    """A beep of 48 samples is where it was, after a second of silence that the file leaves out."""
    source = tmp_path / "in.mkv"
    video = make(tmp_path / "video.mkv", count=60)
    with beside(video, source, "mono") as (output, sound):
        for start in (0, 72000):
            samples = np.zeros((1, 4800), np.int16)
            samples[0, 2400:2448] = 20000
            frame = av.AudioFrame.from_ndarray(samples, "s16", "mono")
            frame.sample_rate, frame.pts, frame.time_base = 48000, start, Fraction(1, 48000)
            output.mux(sound.encode(frame))
        output.mux(sound.encode(None))
    rewrite(source, tmp_path / "out.mp4", audio="aac")
    with av.open(str(tmp_path / "out.mp4")) as container:
        loud = []
        for frame in container.decode(audio=0):
            samples = np.abs(frame.to_ndarray()[0])
            loud += list(frame.pts + np.flatnonzero(samples > 0.3))
    for beep in (2400, 74400):
        assert any(abs(place - beep) < 60 for place in loud), loud
    assert all(min(abs(place - beep) for beep in (2400, 74400)) < 200 for place in loud)


@pytest.mark.parametrize("suffix", OUTPUT_SUFFIXES)
def test_subtitles_of_text_stay_text(tmp_path, suffix):
    source = make(tmp_path / "in.mkv", count=6, subtitles=True)
    lines = rewrite(source, tmp_path / f"out{suffix}")
    about = [line for line in lines if "subtitle stream 1 (subrip)" in line]
    if suffix == ".ts":
        assert about == [
            "its subtitle stream 1 (subrip) was left out, since .ts cannot hold it"
        ] and codecs(tmp_path / "out.ts") == ["h264"]
        return
    text = payload(tmp_path / f"out{suffix}", "subtitle")
    assert b"line 0" in text and b"line 1" in text
    names = {".mkv": None, ".webm": "WebVTT"}
    wanted = names.get(suffix, "MP4 text")
    assert len(about) == bool(wanted) and (not wanted or f"became {wanted}," in about[0])


def test_chapters_rotation_and_tags_that_a_container_cannot_hold_are_named(tmp_path):
    source = make(tmp_path / "in.mkv", count=3, subtitles=True, rotation=90)
    assert rewrite(source, tmp_path / "out.ts", subtitles="none") == [
        "its chapters, rotation and tags (title, language): left out, since .ts cannot hold them"
    ]
    assert rewrite(source, tmp_path / "out.mov", subtitles="none") == []
    with av.open(str(tmp_path / "out.mov")) as container:
        assert next(container.decode(video=0)).rotation == 90
        assert len(container.chapters()) == 1 and container.metadata["title"] == "a cat"
        assert container.streams.video[0].language == "ger"  # deu, as QuickTime calls it


@pytest.mark.parametrize("suffix", [".mov", ".mp4", ".mkv"])
def test_tags_of_phones_are_kept(tmp_path, suffix):
    tags = {
        "title": "a dog",
        "com.apple.quicktime.make": "Apple",
        "com.apple.quicktime.location.ISO6709": "+48.0+011.0/",
        "com.android.version": "14",
    }
    source = tmp_path / "phone.mov"
    make(tmp_path / "in.mov", count=3)
    options = {"movflags": "use_metadata_tags"}
    with (
        av.open(str(tmp_path / "in.mov")) as video,
        av.open(str(source), "w", container_options=options) as output,
    ):
        copy = output.add_stream_from_template(video.streams.video[0])
        output.metadata.update(tags)
        for packet in video.demux():
            if packet.size:
                packet.stream = copy
                output.mux(packet)
    assert rewrite(source, tmp_path / f"out{suffix}") == []
    with av.open(str(tmp_path / f"out{suffix}")) as container:
        found = {name.casefold(): value for name, value in container.metadata.items()}
    assert {name.casefold(): value for name, value in tags.items()}.items() <= found.items()


@pytest.fixture
def with_cover(tmp_path):
    """A video with a cover, a font, and sound whose marks say more than that it is the first."""
    cover = av.CodecContext.create("png", "w")
    cover.width = cover.height = 16
    cover.pix_fmt, cover.time_base = "rgb24", Fraction(1, 25)
    frame = av.VideoFrame.from_ndarray(np.zeros((16, 16, 3), np.uint8), "rgb24")
    png = bytes(cover.encode(frame)[0])
    make(tmp_path / "plain.mkv", count=3, audio="aac")
    with (
        av.open(str(tmp_path / "plain.mkv")) as video,
        av.open(str(tmp_path / "in.mkv"), "w") as output,
    ):
        copies = [output.add_stream_from_template(s) for s in video.streams]
        copies[1].disposition = av.stream.Disposition.hearing_impaired
        output.add_attachment("cover.png", "image/png", png)
        output.add_attachment("a font.ttf", "font/ttf", b"a font")
        for packet in video.demux():
            if packet.size:
                packet.stream = copies[packet.stream_index]
                output.mux(packet)
    return tmp_path / "in.mkv", png


def test_covers_and_fonts_stay_attached(tmp_path, with_cover):
    source, png = with_cover
    assert rewrite(source, tmp_path / "out.mkv") == []
    with av.open(str(tmp_path / "out.mkv")) as container:
        cover, font = list(container.streams)[2:]
        assert cover.disposition == av.stream.Disposition.attached_pic
        assert container.streams[1].disposition & av.stream.Disposition.hearing_impaired
        assert (font.type, font.data, font.metadata["filename"]) == (
            "attachment",
            b"a font",
            "a font.ttf",
        )
    assert payload_of_cover(tmp_path / "out.mkv") == png


def test_a_cover_stays_a_cover_in_mp4_and_what_is_lost_is_named(tmp_path, with_cover):
    source, png = with_cover
    assert rewrite(source, tmp_path / "out.mp4") == [
        "its attachment a font.ttf was left out, since .mp4 cannot hold it"
    ]
    assert payload_of_cover(tmp_path / "out.mp4") == png
    assert [line.split(",")[0] for line in rewrite(source, tmp_path / "out.mov")][:2] == [
        "its cover cover.png was left out",
        "its attachment a font.ttf was left out",
    ]


def payload_of_cover(path) -> bytes:
    with av.open(str(path)) as container:
        covers = [
            s for s in container.streams.video if s.disposition & av.stream.Disposition.attached_pic
        ]
        return bytes(next(p for p in container.demux(covers) if p.size))


@pytest.mark.parametrize(
    ("name", "audio", "target", "wish", "advice"),
    [
        ("in.vob", "pcm_dvd", "o.mkv", "copy", "`audio`=aac converts it, `audio`=opus converts it"),
        ("in.vob", "pcm_dvd", "o.webm", "aac", "`audio`=opus converts it, `audio`=none leaves"),
        (
            "in.mov",
            "pcm_s16le",
            "o.ts",
            "copy",
            "out, a .mkv as output holds it as it is",
        ),
    ],
)
def test_advice_works(tmp_path, name, audio, target, wish, advice):
    video = MPEG2 if name.endswith(".vob") else {}
    source = make(tmp_path / name, audio=audio, count=6, **video)
    with pytest.raises(VideoError) as refused:
        rewrite(source, tmp_path / target, audio=wish)
    message = str(refused.value)
    assert advice in message and f"as `audio`={wish} asks" in message
    assert ("a .mkv as output" in message) == ("a .mkv as output" in advice)
    for name in ("aac", "opus", "none"):
        if f"`audio`={name} converts" in message or name == "none":
            rewrite(source, tmp_path / target, audio=name)
            assert len(codecs(tmp_path / target)) == 1 + (name != "none")
    if "a .mkv as output" in message:
        assert rewrite(source, tmp_path / "o.mkv", audio=wish) == []


def test_what_the_user_asks_for_is_no_line(tmp_path):
    source = make(tmp_path / "in.mkv", count=6, audio="aac", subtitles=True)
    for wishes, kept in (
        ({"audio": "none"}, ["h264", "subrip"]),
        ({"subtitles": "none"}, ["h264", "aac"]),
        ({"audio": "opus", "subtitles": "convert"}, ["h264", "opus", "subrip"]),
    ):
        assert rewrite(source, tmp_path / "out.mkv", **wishes) == []
        assert codecs(tmp_path / "out.mkv") == kept


def test_subtitles_that_must_be_kept_and_cannot_are_refused(tmp_path):
    source = make(tmp_path / "in.mkv", count=3, subtitles=True)
    with pytest.raises(VideoError, match=r"\.mp4 cannot hold its subtitle stream 1 \(subrip\) as"):
        rewrite(source, tmp_path / "out.mp4", subtitles="copy")
    with pytest.raises(VideoError, match="`subtitles`=none leaves it out, a .mkv as output holds"):
        rewrite(source, tmp_path / "out.ts", subtitles="convert")


def test_a_full_disk_is_no_container_that_cannot_hold_it(tmp_path, monkeypatch):
    source = make(tmp_path / "in.mkv", count=3, audio="aac")

    def full(*arguments):
        raise av.error.OSError(28, "No space left on device")

    monkeypatch.setattr(streams.Copying, "__init__", full)
    with pytest.raises(OSError, match="No space left"):
        rewrite(source, tmp_path / "out.mkv")


def test_titles_of_streams_are_kept(tmp_path):
    make(tmp_path / "plain.mkv", count=3, audio="aac")
    source = tmp_path / "in.mkv"
    with av.open(str(tmp_path / "plain.mkv")) as video, av.open(str(source), "w") as output:
        copies = [output.add_stream_from_template(stream) for stream in video.streams]
        copies[1].metadata.update(title="the director speaks", language="eng")
        for packet in video.demux():
            if packet.size:
                packet.stream = copies[packet.stream_index]
                output.mux(packet)
    for before, after in (("in.mkv", "a.mp4"), ("a.mp4", "b.mov"), ("b.mov", "c.mkv")):
        assert rewrite(tmp_path / before, tmp_path / after) == []
    with av.open(str(tmp_path / "c.mkv")) as container:
        tags = container.streams[1].metadata
    assert (tags["title"], tags["language"]) == ("the director speaks", "eng")


def test_channels_that_no_codec_has_are_counted(tmp_path):
    source = tmp_path / "in.mov"
    video = make(tmp_path / "plain.mov", count=3)
    with beside(video, source, "hexadecagonal") as (output, sound):
        samples = np.zeros((1, 16 * 4800), np.int16)
        frame = av.AudioFrame.from_ndarray(samples, "s16", "hexadecagonal")
        frame.sample_rate, frame.pts, frame.time_base = 48000, 0, Fraction(1, 48000)
        output.mux(sound.encode(frame))
        output.mux(sound.encode(None))
    assert "became AAC of 8 of its 16 channels, since .ts" in rewrite(source, tmp_path / "o.ts")[0]
