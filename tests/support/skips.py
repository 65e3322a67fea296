"""Hooks that turn a skipped test into a failed one where ``RTS_NO_SKIPS=1``, as in .ci/run.

A test that is skipped because a tool is missing looks like one that passed. In CI every tool is
installed, so the only skips left are those whose reason is listed here.
"""

import importlib.util
import os
import re

import numpy as np
import pytest

from tests.support.paths import SHARED

# A pattern for the reason of the skip, and why no installation can avoid it.
ALLOWED = {
    r"file system takes UTF-8 names": "some file systems refuse other names, APFS for example",
    r"this Keras refuses it itself": "Keras 2 raises before our check is reached",
    r"always full|/dev/full": "only Linux has /dev/full",
    r"the shell (zsh|fish) is not installed": "the scripts for these are tested where they are",
    r"ONEDNN_MAX_CPU_ISA": "TensorFlow then calls kernels for bfloat16 that oneDNN lacks",
}
if int(np.__version__.split(".")[0]) < 2:
    ALLOWED[r"extra 'quality'"] = "JAX needs a later NumPy than TensorFlow 2.15 accepts"
if importlib.util.find_spec("apache_beam") is None:
    ALLOWED[r"extra 'beam'"] = "Beam has an environment of its own: it takes no protobuf 7"
if not SHARED.is_dir():
    # Reference images and figures lie beside the checkout, and are no part of a clone.
    ALLOWED[r"\bshared\b"] = "no ../shared beside this checkout"


def _fail_unless_allowed(report) -> None:
    """Make a skipped ``report`` a failed one, unless its reason is in ``ALLOWED``."""
    if not report.skipped or hasattr(report, "wasxfail") or os.environ.get("RTS_NO_SKIPS") != "1":
        return
    reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
    if not any(re.search(pattern, reason) for pattern in ALLOWED):
        report.outcome = "failed"
        report.longrepr = f"{reason}\nRTS_NO_SKIPS=1: install what is missing, or see {__name__}."


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """Called with each test's result."""
    outcome = yield
    _fail_unless_allowed(outcome.get_result())


@pytest.hookimpl(hookwrapper=True)
def pytest_make_collect_report(collector):
    """Called with each collected module, which ``pytest.importorskip`` may have skipped."""
    outcome = yield
    _fail_unless_allowed(outcome.get_result())
