"""Commands run to their end on a system that lacks what Windows or macOS lack.

The tests take modules, functions, signals and /proc away from Python on Linux. They do not replace
a test on these systems.
"""

import importlib.util
import json
import subprocess
import sys

import pytest
from PIL import Image

from tests.support.commands import photo
from tests.support.other_system import SYSTEMS
from tests.support.paths import ROOT


@pytest.mark.parametrize("system", SYSTEMS)
def test_commands_run_to_their_end(system, tmp_path):
    (tmp_path / "images").mkdir()
    for i in range(2):
        photo(i).save(tmp_path / "images" / f"{i}.png")
    video = importlib.util.find_spec("av") is not None
    if video:
        from tests.support.videos import make

        make(tmp_path / "video.mkv", count=3)
    module = "tests.support.other_system"
    done = subprocess.run(
        [sys.executable, "-m", module, system, tmp_path], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout[-500:] + done.stderr[-3000:]
    ran = [json.loads(line) for line in done.stdout.splitlines()]
    assert [(name, err) for name, code, _, err in ran if code] == []
    assert len(ran) == 4 + video
    for name, _, _, err in ran:
        lines = [line for line in err.splitlines() if not line.startswith("device: CPU, ")]
        assert not lines and (err or name.endswith("viqet")), (name, err)
    assert done.stderr.partition("BEGIN\n")[2] == ""  # of what C++ writes
    summary = json.loads((tmp_path / "run" / "summary.json").read_text())
    assert summary["selected_stage"] == 1
    with Image.open(tmp_path / "better" / "1.png") as image:
        assert image.size == (64, 64)
    assert not video or (tmp_path / "better.mkv").stat().st_size > 0
    assert (tmp_path / "run" / "export" / "EXPORT.md").exists()
