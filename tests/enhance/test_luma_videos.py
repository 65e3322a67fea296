"""Videos through a network for luma: what becomes of the planes, and videos that were stopped."""

import json
import os

import numpy as np
import pytest

pytest.importorskip("av", reason="the extra 'video' is not installed")

from rts_tf.enhance import video as enhancing_video  # noqa: E402
from rts_tf.enhance.coding import Settings  # noqa: E402
from rts_tf.enhance.frame_enhancers import LumaFrames  # noqa: E402
from rts_tf.enhance.work_directory import root_of  # noqa: E402
from rts_tf.luma.engines import LiteRTEngine  # noqa: E402
from rts_tf.video.reader import VideoReader  # noqa: E402
from tests.support.enhance_command import command  # noqa: E402
from tests.support.videos import make  # noqa: E402

needs_litert = pytest.mark.skipif(
    not LiteRTEngine.is_installed(), reason="the extra 'device' is not installed"
)
OPTIONS = {"options": {"preset": "veryfast", "crf": "10"}}
DEEP = {"codec": "ffv1", "pixels": "yuv420p10le", "options": {}}


@pytest.fixture(autouse=True)
def short_segments(monkeypatch):
    monkeypatch.setattr(enhancing_video, "SEGMENT", 4)


def frames(path):
    with VideoReader(path) as reader:
        return reader.info, [frame.planes for frame in reader.frames()]


@pytest.mark.parametrize("kind", [OPTIONS, OPTIONS | {"full": True}, DEEP], ids=["8", "full", "10"])
@pytest.mark.parametrize("strength", [1.0, 0.5])
def test_luma_is_enhanced_and_chroma_is_left(luma_file, luma_model, tmp_path, kind, strength):
    video, made = make(tmp_path / "in.mkv", count=5, **kind), tmp_path / "out.mkv"
    code, _, err = command(
        video,
        f"--output={made}",
        f"--model={luma_file}",
        "--codec=ffv1",
        f"--strength={strength}",
    )
    assert code == 0, err
    (info, before), (_, after) = frames(video), frames(made)
    assert len(after) == len(before) == 5
    white = 2**info.bits - 1 if info.full_range else 255 * 2 ** (info.bits - 8)
    for (luma, *chroma), (better, *kept) in zip(before, after, strict=True):
        if info.bits == 8:
            expected = luma_model.enhance_luma(luma, strength)
        else:
            values = luma_model.enhance_luma((luma / white).astype(np.float32), strength) * white
            expected = np.clip(np.rint(values), 0, 2**info.bits - 1)
        np.testing.assert_allclose(better, expected, atol=0 if info.bits == 8 else 1)
        assert (better != luma).mean() > 0.3
        for one, two in zip(chroma, kept, strict=True):
            np.testing.assert_array_equal(one, two)


@pytest.mark.parametrize("bits", [8, 9, 10, 12, 14, 16])
@pytest.mark.parametrize("full_range", [False, True])
def test_what_is_not_changed_comes_back_exactly(bits, full_range):
    class Identity:
        def enhance_luma(self, luma, strength):
            return luma.copy()

    levels = np.arange(2**bits).astype(np.uint8 if bits == 8 else np.uint16).reshape(-1, 16)
    chroma = levels[:2]
    ((luma, same),) = LumaFrames(Identity(), bits, full_range)([(levels, chroma)])
    assert luma.dtype == levels.dtype and same is chroma
    np.testing.assert_array_equal(luma, levels)


class Killed(BaseException):
    """Stands for the end of the process."""


@pytest.fixture
def killed(monkeypatch):
    """Run the command up to the third segment, which is not published."""

    def killed(*arguments):
        real, count = os.replace, 0

        def replace(source, target):
            nonlocal count
            count += 1
            if count == 5:  # after settings.json, machine.json and two segments
                raise Killed
            real(source, target)

        with monkeypatch.context() as context, pytest.raises(Killed):
            context.setattr(os, "replace", replace)
            command(*arguments)

    return killed


def recorded(output) -> dict:
    return json.loads((root_of(output) / "settings.json").read_text())


@pytest.fixture(scope="module")
def integer_run(luma_file, tmp_path_factory):
    """The directory of a run that has the network in integers too."""
    from rts_tf.export.luma import integer_file
    from rts_tf.export.luma_integers import LumaIntegers
    from rts_tf.luma.loading import INTEGER_FILE, RANGES, load_luma

    folder = tmp_path_factory.mktemp("run")
    (folder / "final.keras").write_bytes(luma_file.read_bytes())
    integers = LumaIntegers(load_luma(luma_file).network, (1.0, 1.0))
    (folder / INTEGER_FILE).write_bytes(integer_file(integers))
    (folder / "summary.json").write_text(json.dumps({RANGES: integers.highest}))
    return folder


@needs_litert
def test_killed_and_continued_in_integers(integer_run, tmp_path, killed, monkeypatch):
    """It ends as the unbroken run does; where LiteRT is missing, it begins anew."""
    video, output = make(tmp_path / "in.mp4", count=11, audio="aac"), tmp_path / "out.mp4"
    arguments = (video, f"--model={integer_run}", f"--output={output}")
    assert command(*arguments)[0] == 0
    unbroken = output.read_bytes()
    output.unlink()
    killed(*arguments)
    assert recorded(output)["precision"] == ["int8"]
    assert len(list(root_of(output).glob("0*.nut"))) == 2
    code, _, err = command(*arguments)
    assert code == 0 and "note" not in err and output.read_bytes() == unbroken
    output.unlink()
    killed(*arguments)
    monkeypatch.setattr(LiteRTEngine, "is_installed", lambda: False)
    code, _, err = command(*arguments)
    assert code == 0 and "had other settings (precision), so it began anew" in err
    assert output.read_bytes() != unbroken


def test_presets(luma_file, tmp_path, killed):
    """Fast ones beside a fast network, and others begin anew."""
    video, output = make(tmp_path / "in.mp4", count=11), tmp_path / "out.mp4"
    arguments = (video, f"--model={luma_file}", f"--output={output}")
    killed(*arguments)
    assert ["preset", "veryfast"] in recorded(output)["codec"]
    killed(*arguments, "--encoder_preset=ultrafast")
    assert ["preset", "ultrafast"] in recorded(output)["codec"]
    code, _, err = command(*arguments, "--encoder_preset=superfast")
    assert code == 0 and "had other settings (codec), so it began anew" in err
    mixed = ("--encoder_preset=4", "--overwrite")  # which fits VP9, as --codec=auto may choose
    code, _, err = command(*arguments, *mixed)
    assert code == 1 and "out.mp4: --encoder_preset=4: for h264 it is one of ultrafast" in err


@pytest.mark.parametrize(
    ("codec", "preset", "option"),
    [("vp9", "8", ("cpu-used", "8")), ("av1", "13", ("preset", "13")), ("hevc", "", None)],
)
def test_the_options_of_a_preset(codec, preset, option):
    from rts_tf.video.encoders import ENCODERS, Coding

    options = Coding(codec, 20, preset).options
    assert options == ENCODERS[codec].options | dict([option] if option else [])
    assert Settings().preset == ""
