"""What is done once with each engine."""

import shutil
from typing import NamedTuple

import pytest

from tests.support.commands import photo
from tests.support.enhance_command import command, model_file  # noqa: F401
from tests.support.videos import make

BAD = b"\x89PNG\r\n\x1a\nnothing"


class Run(NamedTuple):
    """What a command said, and what it made.

    Attributes:
        code: The exit code.
        out: Standard output, with the folder of the results as OUT.
        err: Standard error, likewise and without lines of progress.
        files: The bytes of all files, by their names.
    """

    code: int
    out: str
    err: str
    files: dict[str, bytes]


@pytest.fixture(scope="session")
def inputs(tmp_path_factory):
    """Images, one of which is damaged, and videos, likewise."""
    folder = tmp_path_factory.mktemp("inputs")
    (folder / "deep").mkdir()
    for i, name in enumerate(("a.png", "b.jpg", "deep/c.png")):
        photo(i, 64 + 16 * i, 80).save(folder / name)
    (folder / "bad.png").write_bytes(BAD)
    make(folder / "clip.mp4", count=106, size=(64, 64), audio="aac")
    (folder / "bad.mp4").write_bytes(b"no video")
    return folder


@pytest.fixture(scope="session")
def enhanced(inputs, model_file, tmp_path_factory):  # noqa: F811
    """Enhance the inputs with an engine: what was said and made."""

    def enhanced(*flags: str, into=None) -> tuple[Run, object]:
        out = into or tmp_path_factory.mktemp("enhanced")
        found = command(f"--model={model_file}", *flags, f"--output={out}", inputs)
        code, *said = found
        said = [text.replace(str(out), "OUT") for text in said]
        said[1] = "".join(line for line in said[1].splitlines(True) if "pixels/s" not in line)
        return Run(code, *said, files_in(out)), out

    return enhanced


@pytest.fixture(scope="session")
def local(enhanced):
    """What this process makes."""
    return enhanced()[0]


@pytest.fixture(scope="session")
def in_beam(enhanced):
    """What Beam makes, and where it is."""
    return enhanced("--engine=beam", "--beam_args=--direct_num_workers=2")


def files_in(folder) -> dict[str, bytes]:
    """The bytes of all files below ``folder``, hidden ones too."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.fixture
def copied(in_beam, tmp_path):
    """A copy of what Beam made, to take something away from."""
    folder = tmp_path / "again"
    shutil.copytree(in_beam[1], folder)
    return folder
