"""rts viqet and rts evaluate in Beam print and write what they do in one process."""

import pytest

from rts_tf import evaluate, viqet
from tests.support.beam_work import needs_beam
from tests.support.commands import command_of, photo

pytestmark = needs_beam
IN_BEAM = "--engine=beam", "--beam_args=--direct_num_workers=2"


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    """Two images and a damaged one."""
    folder = tmp_path_factory.mktemp("images")
    for i in range(2):
        photo(i, 64, 72).save(folder / f"{i}.png")
    (folder / "bad.png").write_bytes(b"\x89PNG\r\n\x1a\nnothing")
    return folder


def both(program, tmp_path, *arguments):
    """What a command says and writes with each engine."""
    found = []
    for k, flags in enumerate(((), IN_BEAM)):
        csv = tmp_path / f"{k}.csv"
        code, out, err = command_of(program, *arguments, *flags, f"--csv={csv}", "--wide")
        assert csv.exists(), err
        err = "".join(line for line in err.splitlines(True) if not line.startswith("measured "))
        found.append((code, out, err, csv.read_bytes()))
    return found


def test_viqet(images, tmp_path):
    here, in_beam = both(viqet, tmp_path, images)
    assert in_beam == here
    assert here[0] == 1 and "bad.png: is not a PNG" in here[2] and here[3].count(b"\n") == 3


def test_evaluate(images, tmp_path, model_file):
    flags = f"--model={model_file}", f"--images={images}", "--nomos"
    here, in_beam = both(evaluate, tmp_path, *flags)
    assert in_beam == here
    assert here[0] == 1 and "bad.png: is not a PNG" in here[2] and here[3].count(b"\n") == 3
