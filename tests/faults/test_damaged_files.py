"""One flipped bit in a file of a run: the same command ends with the same bits, or says what is
wrong and leaves everything as it was."""

import pathlib
import re
import shutil
import signal

import pytest

from tests.crash import FLAGS, Runner, differences, install_faults, outcome, write_images

PLACES = (0.0, 0.3, 0.6, 0.999)  # of the size of the file
UNREAD = re.compile(r"\.lock|logs/.*")  # files that no command reads
# A few kinds for the short form
SHORT = ("config.json", "stage_1/metrics.json", "stage_1/targets/00000.tfrecord")


class Lab:
    """A run that was killed in stage 2, and the unbroken one."""

    def __init__(self, folder: pathlib.Path):
        self.folder, self.runner = folder, Runner()
        self.flags = [
            *FLAGS,
            "--stages=2",
            "--init=residual1",
            "--judge=mos",
            "--precision=float32",
            *write_images(folder / "images", count=4, side=64),
        ]
        assert self.run("unbroken")[0] == 0
        self.expected = outcome(folder / "unbroken")
        at = {"kind": "checkpoint", "phase": "Phase A", "number": 4, "mode": "after"}
        assert self.run("killed", install_faults, ("", at))[0] == -signal.SIGKILL
        root = folder / "killed"
        assert (root / "stage_2" / "checkpoint").exists()
        found = (file.relative_to(root).as_posix() for file in root.rglob("*") if file.is_file())
        self.files = sorted(file for file in found if not UNREAD.fullmatch(file))

    def run(self, name, prepare=None, arguments=()):
        """(exit code, what was printed)"""
        log = self.folder / f"{name}.log"
        log.unlink(missing_ok=True)
        flags = [*self.flags, f"--workdir={self.folder / name}"]
        return self.runner.run(flags, log, prepare, arguments), log.read_text()

    def check(self, file: str, place: float) -> str:
        """Flip a bit of a file, run the command, and return what came of it."""
        root = self.folder / "damaged"
        shutil.rmtree(root, ignore_errors=True)
        shutil.copytree(self.folder / "killed", root)
        whole = (root / file).read_bytes()
        damaged = bytearray(whole)
        at = int(place * len(whole))
        damaged[at] ^= 1 << (at % 7)
        (root / file).write_bytes(damaged)
        code, text = self.run("damaged")
        assert "Traceback" not in text, text
        if code == 0:
            assert not differences(self.expected, outcome(root)), text
            return "the same bits"
        assert code == 1 and len(re.findall("^error: ", text, re.MULTILINE)) == 1, text
        (root / file).write_bytes(whole)
        code, text = self.run("damaged")
        assert code == 0 and not differences(self.expected, outcome(root)), text
        return "an error, and nothing was lost"


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    return Lab(tmp_path_factory.mktemp("damaged"))


@pytest.mark.parametrize("file", SHORT)
def test_a_flipped_bit(lab, file):
    lab.check(file, 0.6)


@pytest.mark.faults
@pytest.mark.timeout(7200)  # the command runs once or twice for each of some thirty files
@pytest.mark.parametrize("place", PLACES)
def test_a_flipped_bit_in_every_file(lab, place):
    found = {file: lab.check(file, place) for file in lab.files}
    print()
    for file, what in found.items():
        print(f"{file:45s} {what}")
    assert len(found) > 25
