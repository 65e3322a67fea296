"""rts enhance --engine=beam makes what rts enhance makes, and says what it says."""

import json

import pytest

pytest.importorskip("av", reason="needs the extra 'video'")

from tests.support.beam_work import needs_beam  # noqa: E402

pytestmark = needs_beam


def test_images_and_videos_are_the_same_to_the_last_byte(local, in_beam):
    made = in_beam[0].files
    assert sorted(made) == ["a.png", "b.jpg", "clip.mp4", "deep/c.png"]
    assert made == local.files


def test_bad_inputs_and_the_summary_are_reported_alike(local, in_beam):
    assert in_beam[0].code == local.code == 1
    assert in_beam[0].out == local.out
    assert "enhanced 3 of 4 images: OUT" in local.out and "enhanced 1 of 2 videos" in local.out
    assert in_beam[0].err == local.err and local.err.count("error: ") == 2


def test_again_it_does_what_is_left(enhanced, copied, in_beam):
    (copied / "b.jpg").unlink()
    kept = {path: path.stat().st_mtime_ns for path in copied.rglob("*.png")}
    flags = "--engine=beam", "--beam_args=--direct_num_workers=1", "--json"
    again = enhanced(*flags, into=copied)[0]
    assert again.files == in_beam[0].files and again.code == 1
    assert {path: path.stat().st_mtime_ns for path in kept} == kept
    lines = [json.loads(line) for line in again.out.splitlines()]
    items = {line["item"].rpartition("/")[2]: line for line in lines if "item" in line}
    assert items["b.jpg"]["seconds"] > 0 and items["b.jpg"]["model"].endswith("model.keras")
    assert items["a.png"]["skipped"] and "is not a PNG" in items["bad.png"]["error"]
    assert lines[-1]["summary"]["errors"] == 2
