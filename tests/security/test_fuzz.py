"""A short part of ``python -m tests.fuzz``, with fixed seeds, and its bookkeeping."""

import time

import pytest

from tests.fuzz.running import Finding, Outcome, run_batch
from tests.fuzz.targets import TARGETS

INPUTS = {"images": 150, "streams": 300, "json": 300, "videos": 40}


@pytest.mark.parametrize("target", INPUTS)
def test_damaged_files_are_read_or_refused(target, tmp_path):
    if target == "videos":
        pytest.importorskip("av", reason="the extra 'video' is not installed")
    found = run_batch(target, 7, INPUTS[target], tmp_path, time.monotonic() + 600)
    assert not found.findings, found.findings[0].said
    assert found.inputs == INPUTS[target] and found.read and found.refused


@pytest.mark.parametrize("target", ["shards", "runs", "crops", "weights"])
def test_damaged_files_of_runs(target, tmp_path):
    """In this process, where TensorFlow is loaded already."""
    import random

    from tests.fuzz.targets import REFUSALS, file_of

    reader, refused = TARGETS[target], 0
    files = [(suffix, one) for suffix, several in reader.seeds().items() for one in several]
    for i in range(40):
        rng = random.Random(f"{target} {i}")
        suffix, contents = rng.choice(files)
        try:
            reader.read(file_of(suffix, reader.mutate(contents, (), rng), tmp_path))
        except REFUSALS as error:
            assert "\n" not in str(error)
            refused += 1
    assert refused


def test_a_crash_is_a_finding(tmp_path, monkeypatch):
    """The process of the reader ends without a word; its input is kept."""
    monkeypatch.setenv("RTS_FUZZ_CRASH", "3")
    found = run_batch("json", 7, 10, tmp_path, time.monotonic() + 600)
    (finding,) = found.findings
    assert "ended with -11" in finding.said and finding.input.endswith("crash.json")


def test_findings_of_one_cause_count_as_one_kind():
    said = 'File "/a/rts_tf/storage.py", line 7, in read\nValueError: 5 of 12'
    one, other = (Finding("json", text, "") for text in (said, said.replace("12", "99")))
    assert one.kind == other.kind == "json: storage.py:7 ValueError: N of N"
    assert (Outcome(1, 2, (one,)) + Outcome(3, 4)).inputs == 11
