"""The codecs that LR passes: what comes back, and that it depends on the arguments only."""

import numpy as np
import pytest

pytest.importorskip("av", reason="the extra 'video' is not installed")

from rts_tf.data import codecs  # noqa: E402
from rts_tf.errors import ConfigError  # noqa: E402


def decibels(one, other) -> float:
    return 10 * np.log10(255**2 / np.mean((one.astype(float) - other) ** 2))


def sequence(image, count=4):
    return [image[k : k + 121, 2 * k : 2 * k + 163] for k in range(count)]


@pytest.mark.parametrize("codec", codecs.VIDEO_CODECS)
def test_frames_come_back_in_order_and_worse_with_a_higher_crf(photograph, codec, capfd):
    frames = sequence(photograph)
    good, bad = (codecs.video(frames, codec, crf) for crf in (18, 36))
    assert [frame.shape for frame in good] == [frame.shape for frame in frames]
    assert all(frame.dtype == np.uint8 for frame in good)
    for k in range(4):
        assert decibels(good[k], frames[k]) > decibels(bad[k], frames[k]) + 3
        assert decibels(good[k], frames[k]) > decibels(good[k], frames[(k + 1) % 4]) + 3
    assert capfd.readouterr() == ("", "")
    for one, other in zip(bad, codecs.video(frames, codec, 36), strict=True):
        np.testing.assert_array_equal(one, other)


def test_crf_means_about_the_same_for_all_codecs(photograph):
    frames = sequence(photograph)
    found = [decibels(codecs.video(frames, c, 28)[-1], frames[-1]) for c in codecs.VIDEO_CODECS]
    assert max(found) - min(found) < 4


@pytest.mark.parametrize("codec", [codecs.jpeg, codecs.webp])
def test_images_are_worse_with_a_lower_quality(photograph, codec):
    image = photograph[:101, :77]
    losses = [decibels(codec(image, quality), image) for quality in (30, 60, 95)]
    assert losses == sorted(losses) and losses[2] > losses[0] + 5


def test_subsampling_costs_colour(photograph):
    image = photograph[:96, :96]
    fine, coarse = (codecs.jpeg(image, 95, name) for name in ("4:4:4", "4:2:0"))
    assert decibels(fine, image) > decibels(coarse, image) + 0.5


def test_without_pyav_the_message_says_what_to_install(monkeypatch, photograph):
    monkeypatch.setattr(codecs, "av", None)
    with pytest.raises(ConfigError, match=r"rts_tf\[video\]"):
        codecs.video([photograph], "h264", 28)
