"""Bad images among good ones are skipped with a line each. Damaged finished runs are refused."""

import contextlib
import json
import os
import re
import shutil

import pytest

from rts_tf.errors import printable
from tests.support.commands import TINY, command, photo, refused, state
from tests.support.image_files import saved
from tests.support.images import BAD, DANGLING, GOOD, LOOP, NOT_UTF8


@pytest.fixture(scope="module")
def mixed(tmp_path_factory):
    """(folder, arguments, result of the command) on all good and bad images."""
    root = tmp_path_factory.mktemp("mixed")
    folder, validation = root / "images", root / "validation"
    for name, (contents, _) in {**BAD, **GOOD}.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(contents)
    (folder / DANGLING).symlink_to(folder / "gone.png")
    (folder / LOOP).symlink_to(folder / LOOP)
    with contextlib.suppress(OSError):  # some file systems take UTF-8 names alone
        (folder / NOT_UTF8).write_bytes(GOOD["jpeg.png"][0])
    (folder / "notes.txt").write_text("passed over")
    validation.mkdir()
    photo(20).save(validation / "judged.png")
    (validation / "cut.png").write_bytes(saved(photo(), "PNG")[:-3000])
    arguments = [
        f"--workdir={root / 'run'}",
        f"--data={folder}",
        f"--validation={validation}",
        *TINY,
    ]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COLUMNS", "1000")
        return folder, arguments, command(*arguments)


@pytest.mark.parametrize("name", [*BAD, DANGLING, LOOP, NOT_UTF8], ids=printable)
def test_a_bad_picture_is_skipped_with_its_reason(mixed, name):
    folder, _, (code, out, err) = mixed
    if not os.path.lexists(folder / name):
        pytest.skip("this file system takes UTF-8 names alone")
    assert code == 0 and "Traceback" not in out + err, err
    reason = {
        DANGLING: "cannot be read .No such file",
        LOOP: "cannot be read",
        NOT_UTF8: "is not UTF-8; rename it",
    }
    expected = BAD[name][1] if name in BAD else reason[name]
    lines = [
        line
        for line in out.splitlines()
        if re.match(f"skipped (.*/)?{re.escape(printable(name))}: ", line)
    ]
    assert len(lines) == 1 and re.search(expected, lines[0]), lines or out


def test_the_good_ones_are_used_and_nothing_else(mixed):
    folder, arguments, (code, out, _) = mixed
    run = folder.parent / "run"
    shards = [
        json.loads(path.read_text())
        for path in sorted((run / "source" / "training").glob("0*.json"))
    ]
    sizes = {name: tuple(size) for shard in shards for name, size in shard["sizes"].items()}
    assert sizes == {name: size for name, (_, size) in GOOD.items()}
    assert (
        code == 0
        and len(re.findall("^skipped ", out, re.MULTILINE)) == len(list_of_bad(folder)) + 1
    )
    summary = json.loads((run / "summary.json").read_text())
    assert summary["training_images"] == len(GOOD) and summary["validation_images"] == 1
    assert f"{folder}: passed over: 1 .txt\n" in out
    assert (run / "report.html").exists() and (run / "final.keras").exists()


def list_of_bad(folder):
    return [name for name in (*BAD, DANGLING, LOOP, NOT_UTF8) if os.path.lexists(folder / name)]


def test_a_finished_run_run_again_says_so(mixed):
    folder, arguments, _ = mixed
    before = state(folder.parent / "run")
    code, out, err = command(*arguments)
    assert (
        code == 0
        and f"{folder.parent / 'run'}: this run is finished; nothing to do." in out
        and not err
    )
    assert state(folder.parent / "run") == before


# --- a finished run that was damaged


def a_stray_file(run):
    (run / "summary.json").unlink()
    (run / "source" / "training" / "holiday.tfrecord").write_text("precious")
    return "source/training/holiday.tfrecord: does not belong to this run; move it away"


def summary_damaged(run):
    (run / "summary.json").write_text('{"preset":')
    return "summary.json: is damaged .*delete it"


def summary_of_another_kind(run):
    (run / "summary.json").write_text("[]")
    return "summary.json: is damaged .not an object.; delete it"


def metrics_damaged(run):
    (run / "summary.json").unlink()
    (run / "stage_1" / "metrics.json").write_text("")
    return "stage_1/metrics.json: is damaged .*delete it"


def photographs_changed(run):
    (run / "summary.json").unlink()
    (run / "source" / "training" / "00000.tfrecord").write_bytes(b"damaged")
    photo(30).save(run.parent / "images" / "--stages=9.bmp")  # in the first shard
    return "00000.tfrecord: made again, it differs from what the run began with"


@pytest.mark.parametrize(
    "damage",
    [a_stray_file, summary_damaged, summary_of_another_kind, metrics_damaged, photographs_changed],
)
def test_damaged_runs(damage, mixed, tmp_path):
    """A damaged copy of a finished run and its images is refused by name, and kept."""
    folder, arguments, _ = mixed
    for name in ("run", "images", "validation"):
        shutil.copytree(folder.parent / name, tmp_path / name, symlinks=True)
    config = json.loads((tmp_path / "run" / "config.json").read_text())
    config |= {"data": str(tmp_path / "images"), "validation": str(tmp_path / "validation")}
    (tmp_path / "run" / "config.json").write_text(json.dumps(config))
    reason = damage(tmp_path / "run")
    network = (tmp_path / "run" / "stage_1" / "model.keras").read_bytes()
    line = refused(*(argument.replace(str(folder.parent), str(tmp_path)) for argument in arguments))
    assert re.search(reason, line), line
    assert (tmp_path / "run" / "stage_1" / "model.keras").read_bytes() == network
