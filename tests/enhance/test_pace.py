"""Many images: how long they take is said early, and a disk without room is refused at once."""

import shutil
import types

import pytest

from rts_tf.enhance import pace
from tests.support.commands import photo
from tests.support.enhance_command import model_file, run  # noqa: F401  fixtures


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "in").mkdir()
    for i in range(5):
        photo(i).save(tmp_path / "in" / f"{i}.png")
    return tmp_path / "in"


def test_the_line_follows_from_the_speed_of_the_first_images(monkeypatch):
    now = iter((100, 103, 106, 109))
    monkeypatch.setattr(pace, "time", types.SimpleNamespace(monotonic=lambda: next(now)))
    measured = pace.Pace(1000, images=1000)
    assert [measured.line_after(1) for _ in range(2)] == ["", ""]
    assert measured.line_after(1) == (
        "1000 images: about 50 min more; Ctrl-C stops, and the same command continues"
    )
    assert measured.line_after(1) == ""


def test_it_is_shown_once_and_little_work_has_no_line(run, folder, monkeypatch):
    monkeypatch.setattr(pace, "_ENOUGH", 0.0)
    assert "about" not in run(folder, "--strength=0")[1]
    monkeypatch.setattr(pace, "LEAST", 0.0)
    assert run(folder, "--strength=0", "--overwrite")[1].count("5 images: about ") == 1


def test_a_disk_without_room(run, folder, tmp_path, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda path: types.SimpleNamespace(free=5000))
    _, err = run(folder, f"--output={tmp_path / 'new' / 'out'}", code=1)
    assert err.startswith(f"error: {tmp_path}: 5 images need at least 0.1 MB of this disk")
    assert not (tmp_path / "new").exists()
