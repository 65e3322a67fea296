"""Every module can be imported on a system that lacks what Windows or macOS lack.

The tests take modules and functions away from Python on Linux. They show that nothing fails at
import; they do not replace a test on these systems.
"""

import subprocess
import sys

import pytest

from tests.support.other_system import SYSTEMS, WINDOWS
from tests.support.paths import ROOT

IMPORT_ALL = """
import importlib, os, pkgutil, signal, sys

for name in {modules!r}:
    sys.modules[name] = None  # importing it raises ImportError
packages = {packages!r}

# Other packages, such as TensorFlow, are there in editions for each system.
for name in {others!r}:
    try:
        importlib.import_module(name)
    except ImportError:
        if name not in {extras!r}:
            raise

for module, missing in ((os, {os!r}), (signal, {signal!r})):
    for name in missing:
        if hasattr(module, name):
            delattr(module, name)
for name in packages:
    package = importlib.import_module(name)
    for found in pkgutil.walk_packages(package.__path__, name + "."):
        print(found.name)
        try:
            importlib.import_module(found.name)
        except ModuleNotFoundError as error:
            if error.name.partition(".")[0] not in {extras!r}:
                raise
"""
OTHERS = (
    *("absl.app", "av", "cv2", "keras", "matplotlib.figure", "rich.progress", "scipy.fft"),
    *("skimage.metrics", "tensorflow"),
)
EXTRAS = (
    "ai_edge_litert",
    "apache_beam",
    "av",
    "grpc",
    "tensorflow_serving",
)  # may not be installed here


def import_all(
    packages: tuple[str, ...], others: tuple[str, ...], **lacking: tuple[str, ...]
) -> list[str]:
    """Import all modules of ``packages`` in a process that lacks something, and return them.

    ``others`` are imported before anything is taken away.
    """
    code = IMPORT_ALL.format(packages=packages, others=others, extras=EXTRAS, **lacking)
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=200
    )
    assert done.returncode == 0, done.stdout[-200:] + done.stderr[-2000:]
    return done.stdout.split()


@pytest.mark.parametrize("system", SYSTEMS)
def test_every_module_can_be_imported(system):
    found = import_all(("rts_tf", "export"), OTHERS, **SYSTEMS[system])
    assert {"rts_tf.storage", "rts_tf.export.pipeline", "rts_tf.settop.video"} <= set(found)


def test_the_test_notices_a_module_that_fails(tmp_path, monkeypatch):
    (tmp_path / "package").mkdir()
    (tmp_path / "package" / "__init__.py").touch()
    (tmp_path / "package" / "module.py").write_text("import resource")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with pytest.raises(AssertionError, match="resource"):
        import_all(("package",), (), **WINDOWS)
