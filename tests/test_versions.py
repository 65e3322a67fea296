"""The script that tests the lowest versions finds what setup.cfg admits. Nothing is installed."""

import importlib.machinery
import importlib.util
import pathlib

import pytest

from tests.support.paths import ROOT

pytest.importorskip("pip", reason="pip is not installed")


@pytest.fixture(scope="module")
def versions():
    loader = importlib.machinery.SourceFileLoader("versions", str(ROOT / ".ci" / "versions"))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("versions", loader))
    loader.exec_module(module)
    return module


@pytest.fixture
def config(versions, tmp_path, monkeypatch):
    (tmp_path / "setup.cfg").write_text(
        "[options]\ninstall_requires =\n    # a comment\n    numpy>=1.23.5\n    pillow>=10\n"
        '    etils<1.14; python_version < "3.11"\n    scikit_image>=0.22,<1\n    rich\n'
        "[options.extras_require]\nimages =\n    pillow>=11.3\n"
        "test =\n    rts_tf[images]\n    pytest>=7.4\n"
    )
    monkeypatch.setattr(versions, "ROOT", pathlib.Path(tmp_path))


def test_requirements_are_those_of_the_extras_and_of_that_python(versions, config):
    plain = {"numpy", "pillow", "scikit-image", "rich"}
    assert {*versions._requirements("rts_tf", "3.12.1")} == plain
    assert {*versions._requirements("rts_tf[test]", "3.10.13")} == plain | {"etils", "pytest"}


def test_the_highest_of_several_lower_bounds_counts(versions, config):
    bounds = versions._bounds(versions._requirements("rts_tf[test]", "3.10.13"))
    found = {name: str(version) for name, version in bounds.items()}
    lowest = {"numpy": "1.23.5", "pillow": "11.3", "scikit-image": "0.22", "pytest": "7.4"}
    assert found == lowest


def test_the_lowest_release_that_the_bound_admits(versions, monkeypatch):
    said = "numpy (2.1.0)\nAvailable versions: 2.1.0, 2.0.2, 2.0.0, 1.23.5, 1.9\n"
    monkeypatch.setattr(versions, "_output", lambda *command: said)
    monkeypatch.setattr(versions, "_has_wheel", lambda *wanted: str(wanted[-1]) != "2.0.0")
    for bound, lowest in (("1.23", "1.23.5"), ("2", "2.0.2"), ("2.0.3", "2.1.0")):
        assert str(versions._lowest("python", "numpy", versions.Version(bound))) == lowest


def test_every_test_of_the_quick_ones_is_there(versions):
    assert [name for name in versions.QUICK if not (ROOT / name).exists()] == []
