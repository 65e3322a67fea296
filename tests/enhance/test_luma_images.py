"""Images through a network for luma, and what such a network refuses."""

import numpy as np
import pytest

from rts_tf.errors import RtsError
from rts_tf.images.image_file import ImageFile, read_image_file
from rts_tf.images.transparency import visible_only
from rts_tf.images.write import write_image_file
from tests.support.commands import photo
from tests.support.enhance_command import command, refused
from tests.support.image_files import EIGHT, PROFILE, SIXTEEN, check_exif, exif
from tests.support.videos import make


@pytest.mark.parametrize(
    "pixels",
    [EIGHT, EIGHT[..., :1], SIXTEEN, SIXTEEN[..., :1]],
    ids=["rgb8", "grey8", "rgb16", "grey16"],
)
def test_one_image_with_all_that_belongs_to_it(luma_file, luma_model, tmp_path, pixels):
    """Pixels are those of the Python interface, in the same bits; the rest is kept."""
    colour = pixels.shape[2] == 3
    given = ImageFile(
        pixels, pixels[..., 2] if colour else None, PROFILE if colour else b"", exif(6), (240, 300)
    )
    write_image_file(tmp_path / "in.png", given)
    code, _, err = command(
        tmp_path / "in.png", f"--output={tmp_path / 'out.png'}", f"--model={luma_file}"
    )
    assert code == 0, err
    turned, found = read_image_file(tmp_path / "in.png"), read_image_file(tmp_path / "out.png")
    expected = luma_model.enhance(visible_only(turned.pixels, turned.alpha))
    seen = ... if found.alpha is None else found.alpha > 0
    np.testing.assert_array_equal(found.pixels[seen], expected[seen])
    assert (found.pixels != turned.pixels).mean() > 0.3 and found.pixels.dtype == pixels.dtype
    assert found.icc == given.icc
    check_exif(found.exif, width=41)
    if colour:
        np.testing.assert_array_equal(found.alpha, turned.alpha)


@pytest.fixture
def image(tmp_path):
    photo().save(tmp_path / "in.png")
    return tmp_path / "in.png"


@pytest.mark.parametrize(
    ("flag", "reason"),
    [
        ("--scale=2", "--scale=2: --model={} cannot enlarge; name another --model."),
        ("--chroma", "--chroma: --model={} enhances brightness alone; name another --model."),
    ],
)
def test_what_it_cannot_do(luma_file, image, tmp_path, flag, reason):
    line = refused(image, f"--output={tmp_path / 'out.png'}", f"--model={luma_file}", flag)
    assert line == "error: " + reason.format(luma_file) and not (tmp_path / "out.png").exists()


def test_aliases_are_names_of_weights(image, tmp_path, monkeypatch):
    """Here one that stands for weights that the package has."""
    from rts_tf import pretrained

    monkeypatch.setitem(pretrained.ALIASES, "fast", "residual1")
    code, _, err = command(image, f"--output={tmp_path / 'out.png'}", "--model=fast")
    assert code == 0, err
    monkeypatch.setitem(pretrained.ALIASES, "fast", "gone")
    line = refused(image, f"--output={tmp_path / 'other.png'}", "--model=fast")
    assert line.startswith("error: --model=fast: no such file or directory, and not the name")


@pytest.mark.parametrize(
    ("flags", "reason"),
    [
        (
            ["--encoder_preset=turbo"],
            "for h264 and hevc it is one of ultrafast, .*, placebo; for v",
        ),
        (["--encoder_preset=9", "--codec=vp9"], "=9: for vp9 it is a number from 0 to 8.$"),
        (["--encoder_preset=fast", "--codec=av1"], "for av1 it is a number from 0 to 13.$"),
        (["--encoder_preset=fast", "--codec=ffv1"], "ffv1 has no presets, so leave it out.$"),
    ],
)
def test_presets_are_checked_before_any_work(tmp_path, flags, reason):
    video = make(tmp_path / "in.mp4", count=2)
    line = refused(video, f"--output={tmp_path / 'out.mp4'}", *flags)
    assert line.startswith("error: --encoder_preset=")
    with pytest.raises(RtsError, match=reason):
        raise RtsError(line)
    assert list(tmp_path.iterdir()) == [video]
