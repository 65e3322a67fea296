"""What frames carry, their colours and transparency: kept, or named in a line at the end."""

from fractions import Fraction

import numpy as np
import pytest

pytest.importorskip("av", reason="the extra 'video' is not installed")

import av  # noqa: E402
from PIL import Image  # noqa: E402

from rts_tf.enhance import video as enhancing_video  # noqa: E402
from rts_tf.enhance.work_directory import recorded_settings  # noqa: E402
from rts_tf.video import trial  # noqa: E402
from rts_tf.video.encoders import ENCODERS, Coding  # noqa: E402
from rts_tf.video.hdr import Hdr  # noqa: E402
from rts_tf.video.reader import VideoReader  # noqa: E402
from rts_tf.video.side_data import contents_of  # noqa: E402
from rts_tf.video.suffixes import container_of  # noqa: E402
from rts_tf.video.trial import can_encode, lost_description, written_and_read  # noqa: E402
from tests.support.enhance_command import model_file, run  # noqa: E402, F401  fixtures
from tests.support.mpeg2_videos import ACTIVE_PART, captions, make_mpeg2  # noqa: E402
from tests.support.videos import make  # noqa: E402

HDR = (
    "mastering-display=G(13250,34500)B(7500,3000)R(34000,16000)WP(15635,16450)L(10000000,50)"
    ":cll=1000,400"
)


def info_of(path):
    with VideoReader(path) as reader:
        return reader.info


def held(path, kind):
    """The side data of a kind of each frame, b"" where there is none."""
    with VideoReader(path) as reader:
        return [dict(contents_of(frame)).get(kind, b"") for frame in reader.as_decoded()]


@pytest.fixture
def enhanced(run, tmp_path):
    """Enhance without change: the output, and the lines at the end."""

    def enhanced(source, name, *arguments):
        output = tmp_path / name
        _, err = run(source, f"--output={output}", "--strength=0", *arguments)
        return output, err

    return enhanced


@pytest.mark.parametrize(
    ("name", "codec", "kept"),
    [("out.mp4", "auto", True), ("out.ts", "hevc", True), ("out.webm", "vp9", False)],
)
def test_captions(enhanced, tmp_path, name, codec, kept):
    """The frames of MPEG-2 that have them are neither the first nor the last."""
    video = make_mpeg2(tmp_path / "in.mkv", 6, user_data={n: captions(n) for n in (2, 3)})
    before = held(video, "A53_CC")
    assert [bool(found) for found in before] == [n in (2, 3) for n in range(6)]
    output, err = enhanced(video, name, f"--codec={codec}")
    if kept:
        assert held(output, "A53_CC") == before and "note" not in err
    else:
        line = "closed captions of 2 frames were left out, since the encoder of vp9 takes none"
        assert f"note: {video}: {line}\n" in err


def test_the_active_part_of_frames_is_named(enhanced, tmp_path):
    video = make_mpeg2(tmp_path / "in.mkv", 4, user_data={1: ACTIVE_PART})
    _, err = enhanced(video, "out.mp4")
    line = "the active part of the frame (AFD) of 1 frame was left out, since the encoder of h264"
    assert line in err


class Killed(BaseException):
    """Stands for the end of the process."""


def test_captions_of_a_video_that_was_killed(run, tmp_path, monkeypatch):
    monkeypatch.setattr(enhancing_video, "SEGMENT", 2)
    video = make_mpeg2(
        tmp_path / "in.mkv", 6, interlaced_from=1, user_data={n: captions(n) for n in range(6)}
    )
    arguments = (video, "--strength=0", "--deinterlace=auto", "--codec=hevc")
    run(*arguments, f"--output={tmp_path / 'whole.mp4'}")
    real, count = enhancing_video.write_segment, 0

    def write_segment(*given):
        nonlocal count
        count += 1
        if count == 2:
            raise Killed
        real(*given)

    output = tmp_path / "killed.mp4"
    with monkeypatch.context() as context:
        context.setattr(enhancing_video, "write_segment", write_segment)
        with pytest.raises(Killed):
            run(*arguments, f"--output={output}")
    assert recorded_settings(output)["deinterlace"] == "auto"
    _, err = run(*arguments, f"--output={output}")
    assert "5 of 6 frames were marked as interlaced" in err and "began anew" not in err
    assert output.read_bytes() == (tmp_path / "whole.mp4").read_bytes()


@pytest.mark.parametrize(
    ("name", "codec", "kept"),
    [
        ("out.mp4", "hevc", True),
        ("out.mkv", "h264", True),
        ("out.webm", "av1", True),
        ("out.mkv", "ffv1", False),
        ("out.mp4", "vp9", False),
    ],
)
def test_hdr(enhanced, tmp_path, name, codec, kept):
    options = {"x264-params": HDR, "chroma_sample_location": "topleft"}
    video = make(tmp_path / "in.mkv", pixels="yuv420p10le", matrix=9, options=options, count=2)
    before = info_of(video)
    assert before.hdr.light == (1000, 400) and before.chroma_location == "topleft"
    assert [round(float(value), 3) for value in before.hdr.display[-2:]] == [0.005, 1000]
    output, err = enhanced(video, name, f"--codec={codec}")
    after = info_of(output)
    assert (after.matrix, after.primaries) == (9, 9)
    assert (after.chroma_location == "topleft") == (name != "out.mp4" or kept)
    if kept:
        assert after.hdr.light == before.hdr.light and "left out" not in err
        assert np.allclose(*[np.array(hdr.display, float) for hdr in (after.hdr, before.hdr)], 1e-2)
    else:
        assert f"left out, since {codec} in {output.suffix} has no place for it: " in err
        assert "its mastering display (HDR metadata), its content light level" in err


def test_hdr_in_the_units_of_encoders():
    parts = (6800, 3200, 2650, 6900, 1500, 600, 3127, 3290, 50, 10_000_000)
    hdr = Hdr(tuple(Fraction(part, 10000) for part in parts), (1000, 400))
    assert hdr.options("h264") == ("x264-params", HDR)
    name, value = hdr.options("av1")
    assert name == "svtav1-params" and "R(0.680000,0.320000)" in value
    assert value.endswith(":content-light=1000,400")
    assert hdr.options("vp9") is None and Hdr().options("hevc") is None


COLOURS = {
    "nothing is known": {"range": 0, "colours": (2, 2, 2), "place": ""},
    "limited alone": {"range": 1, "colours": (2, 2, 2), "place": ""},
    "full, of phones": {"range": 2, "colours": (1, 1, 1), "place": "center"},
    "BT.601 without primaries": {"range": 1, "colours": (2, 2, 5), "place": "left"},
    "BT.2020": {"range": 1, "colours": (9, 18, 9), "place": "topleft"},
}


@pytest.mark.parametrize(
    "name", ["h264.mp4", "h264.ts", "hevc.mkv", "vp9.webm", "av1.mp4", "ffv1.mkv"]
)
@pytest.mark.parametrize("kind", COLOURS)
def test_colours(tmp_path, kind, name):
    codec, suffix = name.split(".")
    wanted = COLOURS[kind]
    primaries, transfer, matrix = wanted["colours"]
    info = info_of(make(tmp_path / "in.mp4", count=1))._replace(
        full_range=wanted["range"] == 2,
        range_known=wanted["range"] > 0,
        matrix=matrix,
        primaries=primaries,
        transfer=transfer,
        chroma_location=wanted["place"],
    )
    coding = Coding(codec, ENCODERS[codec].crf)
    container = container_of(name)
    found = written_and_read(info, coding, container)
    assert (found.primaries, found.transfer, found.matrix) == wanted["colours"]
    assert found.full_range == info.full_range
    # The other codecs have no way to leave the range open, and limited is what it means then.
    assert found.range_known == info.range_known or codec in ("hevc", "vp9", "av1")
    if (codec, suffix, wanted["place"]) == ("av1", "mp4", "center"):
        assert lost_description(info, coding, container) == [
            "the place of its chroma samples (center)"
        ]
    elif wanted["place"]:
        assert found.chroma_location == wanted["place"]
        assert not lost_description(info, coding, container)


class WrongTimes:
    """A stream whose packets are to be decoded long after they are shown, as of x265 at times."""

    def __init__(self, stream):
        self._stream = stream

    def encode(self, frame):
        for packet in self._stream.encode(frame):
            packet.dts = (packet.pts or 0) + 10**9
            yield packet


def test_a_trial_of_one_frame_chooses_its_time_of_decoding(tmp_path, monkeypatch):
    info = info_of(make(tmp_path / "in.mp4", count=1))
    real = trial.add_video
    monkeypatch.setattr(trial, "add_video", lambda *given: WrongTimes(real(*given)))
    assert written_and_read(info, Coding("hevc", 20), "matroska").width > 0


@pytest.mark.parametrize("codec", ["h264", "ffv1"])
def test_a_range_that_is_open_stays_so(tmp_path, codec):
    info = info_of(make(tmp_path / "in.mp4", count=1))._replace(
        range_known=False, matrix=2, primaries=2, transfer=2
    )
    for described in (info, info._replace(matrix=9, primaries=9, transfer=14)):
        found = written_and_read(described, Coding(codec, ENCODERS[codec].crf), "matroska")
        # H.264 has its range and its colours in one group.
        assert found.range_known == (codec == "h264" and described != info)
        assert not found.full_range


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("h264.mkv", True),
        ("h264.ts", True),
        ("hevc.mkv", True),
        ("vp9.mp4", True),
        ("av1.mp4", True),
        ("vp9.webm", False),
        ("av1.mkv", False),
        ("ffv1.mkv", False),
    ],
)
def test_the_aspect_ratio_of_pixels(tmp_path, name, kept):
    codec, container = name.split(".")[0], container_of(name)
    coding = Coding(codec, ENCODERS[codec].crf)
    info = info_of(make(tmp_path / "in.mp4", count=1))._replace(chroma_location="")
    line = "the aspect ratio of its pixels (64:45)"
    for aspect in (Fraction(0), Fraction(1), Fraction(64, 45)):
        shown = info._replace(aspect=aspect)
        lost = [] if kept or aspect in (0, 1) else [line]
        assert lost_description(shown, coding, container) == lost
        if kept and aspect:
            assert written_and_read(shown, coding, container).aspect == aspect


def transparent_webm(path):
    with av.open(str(path), "w") as container:
        video = container.add_stream(
            "libvpx-vp9", rate=25, width=64, height=48, options={"auto-alt-ref": "0"}
        )
        video.codec_context.pix_fmt = "yuva420p"
        video.metadata["alpha_mode"] = "1"
        for i in range(3):
            rgba = np.full((48, 64, 4), (200, 60, 40, 255), np.uint8)
            rgba[:, : 16 * (i + 1), 3] = 0
            frame = av.VideoFrame.from_ndarray(rgba, "rgba").reformat(format="yuva420p")
            frame.pts, frame.time_base = i, Fraction(1, 25)
            container.mux(video.encode(frame))
        container.mux(video.encode(None))
    return path


def alphas(path):
    with VideoReader(path) as reader:
        frames = list(reader.as_decoded())
    return [
        np.frombuffer(frame.planes[3], np.uint8).reshape(frame.height, -1)[:, : frame.width]
        for frame in frames
        if frame.format.name.startswith("yuva")
    ]


def tags(path):
    with av.open(str(path)) as container:
        return {key.lower(): value for key, value in container.streams.video[0].metadata.items()}


@pytest.mark.parametrize(
    ("name", "codec"), [("out.webm", "auto"), ("out.mkv", "vp9"), ("out.mkv", "ffv1")]
)
def test_transparency_is_kept(enhanced, tmp_path, name, codec):
    video = transparent_webm(tmp_path / "in.webm")
    output, err = enhanced(video, name, f"--codec={codec}")
    assert "transparency" not in err and "pixel format" not in err
    before, after = alphas(video), alphas(output)
    assert len(before) == len(after) == 3
    for one, two in zip(before, after, strict=True):
        assert np.abs(one.astype(int) - two).mean() < 1
    assert tags(output).get("alpha_mode") == ("1" if codec != "ffv1" else None)


@pytest.mark.parametrize("name", ["out.mp4", "out.mkv"])
def test_transparency_that_is_left_out(enhanced, tmp_path, name):
    output, err = enhanced(transparent_webm(tmp_path / "in.webm"), name)
    assert (
        f"its transparency was left out, which h264 in {output.suffix} cannot hold; --codec=" in err
    )
    assert "alpha_mode" not in tags(output)


def animation(path, transparent):
    frames = []
    for i in range(3):
        rgba = np.full((40, 51, 4), (30, 60 * i, 90, 255), np.uint8)
        rgba[:10, :10, 3] = 0 if transparent else 255
        frames.append(Image.fromarray(rgba, "RGBA"))
    settings = {"lossless": True} if path.suffix == ".webp" else {"disposal": 2}
    if path.suffix == ".png":
        settings = {}
    frames[0].save(path, save_all=True, append_images=frames[1:], duration=[40, 80, 40], **settings)
    return path


@pytest.mark.parametrize("transparent", [False, True])
@pytest.mark.parametrize("suffix", [".gif", ".png", ".webp"])
def test_animations_become_videos(enhanced, tmp_path, suffix, transparent):
    source = animation(tmp_path / f"in{suffix}", transparent)
    output, err = enhanced(source, "out.mp4")
    assert ("its transparency was left out" in err) == transparent
    with VideoReader(output) as reader:
        times = [frame.time * reader.info.time_base for frame in reader.frames()]
        assert (reader.info.width, reader.info.height) == (51, 40)
    assert np.allclose([float(time) for time in times], [0, 0.04, 0.12])


def test_animations_that_are_transparent_stay_so(enhanced, tmp_path):
    output, err = enhanced(animation(tmp_path / "in.gif", True), "out.webm")
    assert "transparency" not in err
    for alpha in alphas(output):
        assert alpha[2:8, 2:8].max() < 40 and alpha[14:, 14:].min() > 215


def test_odd_sizes_find_another_codec(enhanced, run, tmp_path):
    video = make(tmp_path / "in.webm", codec="libvpx-vp9", size=(67, 35), options={}, count=2)
    output, err = enhanced(video, "out.mp4")
    assert "h264 takes no 67x35 yuv420p, so vp9 was chosen" in err
    assert (info_of(output).width, info_of(output).height) == (67, 35)
    for name, arguments, reason in (
        (
            "out.ts",
            [],
            "h264 cannot code 67x35 yuv420p into .ts; --codec=vp9 or av1 or ffv1 can, in",
        ),
        (
            "hevc.mp4",
            ["--codec=hevc"],
            "hevc cannot code 67x35 yuv420p into .mp4; --codec=vp9 or a",
        ),
    ):
        _, err = run(video, f"--output={tmp_path / name}", *arguments, code=1)
        assert err.startswith(f"error: {tmp_path / name}: {reason}") and err.count("\n") == 1
    output, err = enhanced(video, "out.mkv", "--codec=ffv1")
    assert info_of(output).width == 67 and "note" not in err


def test_narrow_frames_do_not_go_through_x265(enhanced, run, tmp_path):
    """It would write beyond its memory."""
    video = make(tmp_path / "in.mkv", pixels="yuv420p10le", size=(48, 32), count=2)
    output, err = enhanced(video, "out.mp4")
    assert "hevc takes no 48x32 yuv420p10le, so av1 was chosen" in err
    assert info_of(output).bits == 10
    _, err = run(video, f"--output={tmp_path / 'hevc.mp4'}", "--codec=hevc", code=1)
    assert "hevc cannot code 48x32 yuv420p10le into .mp4; --codec=av1 or " in err


@pytest.mark.parametrize("codec", ["h264", "hevc", "vp9", "av1", "ffv1"])
def test_encoders_print_nothing(tmp_path, capfd, codec):
    info = info_of(make(tmp_path / "in.mp4", count=1))
    capfd.readouterr()
    coding = Coding(codec, ENCODERS[codec].crf)
    for width, height in ((128, 64), (127, 65), (1, 1), (8, 8)):
        can_encode(info._replace(width=width, height=height), coding, "matroska")
    lost_description(info, coding, "matroska")
    assert capfd.readouterr() == ("", "")


def test_side_data_that_pyav_has_no_name_for(enhanced, tmp_path):
    """Even asking such a frame for its side data fails."""
    exif = Image.Exif()
    exif[0x010E] = "a title"
    frames = [Image.fromarray(np.full((40, 60, 3), 40 * i, np.uint8)) for i in range(2)]
    source = tmp_path / "in.png"
    frames[0].save(source, save_all=True, append_images=frames[1:], duration=40, exif=exif)
    _, err = enhanced(source, "out.mp4")
    assert "such as EXIF, of 1 frame were left out, since the encoder of h264 takes none" in err
