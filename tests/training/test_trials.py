"""Later phases are tried before the first one, and only for somebody who looks at the progress."""

import contextlib
import dataclasses

import pytest

from rts_tf.config import preset
from rts_tf.training import recurrence, trials
from rts_tf.training.progress import Silent
from tests.support.commands import TINY, photo


@pytest.fixture
def settings(tmp_path):
    folder = tmp_path / "images"
    folder.mkdir()
    for i in range(3):
        photo(i, 80, 96).save(folder / f"{i}.png")
    given = dict(flag.lstrip("-").split("=") for flag in TINY)
    numbers = {key: int(value) for key, value in given.items() if value.isdigit()}
    return preset("quick", data=str(folder), **given | numbers)


class Listening(Silent):
    """Notes the speeds, and how far the run was when they were tried."""

    def __init__(self):
        self.paces, self.advanced = {}, []

    def expect(self, phase, trial):
        assert not self.advanced
        self.paces[phase] = trial()

    def advance(self, phase, work, text, count, unit):
        self.advanced.append(phase)


@pytest.mark.parametrize(
    ("judge", "phases"), [("mos", {"Phase B", "VIQET"}), ("delta", {"Phase B"})]
)
def test_the_phases_to_come_are_tried_first(settings, tmp_path, judge, phases):
    listening = Listening()
    recurrence.train(
        dataclasses.replace(settings, judge=judge),
        tmp_path / "run",
        lambda line: None,
        lambda work: contextlib.nullcontext(listening),
    )
    assert set(listening.paces) == phases <= set(listening.advanced)
    assert all(pace > 0 for pace in listening.paces.values())


def test_without_progress_nothing_is_tried(settings, tmp_path, monkeypatch):
    def refuse(run):
        raise AssertionError("tried")

    monkeypatch.setattr(trials, "_phase_b", refuse)
    recurrence.train(settings, tmp_path / "run", lambda line: None)
