"""With ``RTS_NO_SKIPS=1`` a test that is skipped for a missing tool fails."""

import os
import subprocess
import sys

import pytest

from tests.support.paths import ROOT

HOOKS = "from tests.support.skips import pytest_make_collect_report, pytest_runtest_makereport\n"
TESTS = {
    "tool": "import pytest\ndef test_it(): pytest.skip('there is no such tool')\n",
    "module": "import pytest\npytest.importorskip('no_such_module')\ndef test_it(): pass\n",
    "allowed": "import pytest\ndef test_it(): pytest.skip('only Linux has /dev/full')\n",
}


@pytest.mark.parametrize(
    "name, no_skips, fails",
    [("tool", "1", True), ("tool", "", False), ("module", "1", True), ("allowed", "1", False)],
)
def test_skips_fail_in_ci(tmp_path, name, no_skips, fails):
    (tmp_path / "conftest.py").write_text(HOOKS)
    (tmp_path / "test_it.py").write_text(TESTS[name])
    options = ["-p", "no:cacheprovider", "-c", os.devnull, "--rootdir", str(tmp_path)]
    variables = {"RTS_NO_SKIPS": no_skips, "PYTHONPATH": str(ROOT), "PYTEST_ADDOPTS": ""}
    result = subprocess.run(
        [sys.executable, "-m", "pytest", *options, str(tmp_path)],
        env=os.environ | variables,
        capture_output=True,
        text=True,
    )
    assert (result.returncode != 0) == fails, result.stdout + result.stderr
