"""The wheel, installed outside the checkout: what README offers works from another folder."""

import email
import os
import re
import shutil
import subprocess
import sys
import zipfile

import numpy as np
import pytest
from PIL import Image
from skimage import data

import rts_tf
from tests.support.paths import ROOT

SOURCES = ("LICENSE", "PACKAGE.md", "pyproject.toml", "setup.cfg")
PIP = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The wheel, built from a copy: a build leaves folders beside the sources."""
    folder = tmp_path_factory.mktemp("sources")
    for name in SOURCES:
        shutil.copy(ROOT / name, folder)
    shutil.copytree(ROOT / "rts_tf", folder / "rts_tf", ignore=shutil.ignore_patterns("*cache*"))
    built = folder / "built"
    words = ["wheel", "--no-deps", "--no-build-isolation", "--no-index", f"--wheel-dir={built}"]
    subprocess.run([*PIP, *words, folder], check=True, timeout=200)
    (path,) = built.iterdir()
    return path


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory):
    """Run Python with the installed package in another folder, which holds an image."""
    folder = tmp_path_factory.mktemp("elsewhere")
    site = folder / "site"
    words = ["install", "--no-deps", "--no-index", f"--target={site}", wheel]
    subprocess.run([*PIP, *words], check=True, timeout=200)
    here = folder / "here"
    here.mkdir()
    Image.fromarray(np.ascontiguousarray(data.chelsea()[100:140, 100:148])).save(here / "photo.png")
    # Not the folder that holds the tests' own copy of the package
    environment = os.environ | {"PYTHONPATH": str(site)}

    def run(*words: object) -> str:
        done = subprocess.run(
            [sys.executable, *map(str, words)],
            cwd=here,
            env=environment,
            capture_output=True,
            text=True,
            timeout=200,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    run.folder, run.site = here, site
    return run


def test_the_package_holds_what_it_needs_and_no_generic_name(wheel):
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    tops = {name.partition("/")[0] for name in names}
    assert tops == {"rts_tf", f"rts_tf-{rts_tf.__version__}.dist-info"}
    inside = [path for path in (ROOT / "rts_tf").rglob("*") if path.is_file()]
    wanted = {path.relative_to(ROOT).as_posix() for path in inside if "cache" not in str(path)}
    assert wanted == {name for name in names if name.startswith("rts_tf/")}


def test_the_metadata_is_complete_and_its_page_stands_alone(wheel):
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith("/METADATA"))
        found = email.message_from_bytes(archive.read(name))
    for key in ("Summary", "Author", "Keywords", "Project-URL", "Requires-Python", "License-File"):
        assert found[key], key
    assert found["Name"] in ("rts_tf", "rts-tf")  # by the version of setuptools
    assert found["Version"] == rts_tf.__version__
    assert "Programming Language :: Python :: 3.10" in found.get_all("Classifier")
    assert found["Description-Content-Type"].startswith("text/markdown")
    page = found.get_payload()
    assert page.lstrip().startswith("# rts_tf")
    # An index shows the page without the files of the repository.
    links = re.findall(r"\]\(\s*([^)\s]+)", page)
    assert links and all(link.startswith("https://") for link in links)


def test_it_is_the_installed_package(installed):
    where = installed("-c", "import rts_tf; print(rts_tf.__file__)").strip()
    assert where == str(installed.site / "rts_tf" / "__init__.py")
    said = installed("-c", "import importlib.util as u; print(u.find_spec('export'))")
    assert said == "None\n"


def test_the_commands_start(installed):
    assert f"rts_tf {rts_tf.__version__} (" in installed("-m", "rts_tf", "--version")
    assert "serve-client" in installed("-m", "rts_tf", "--help")
    assert "--protocol" in installed("-m", "rts_tf", "serve-client", "--help")
    assert "MODEL.tflite INPUT" in installed("-m", "rts_tf", "settop", "--help")


def test_an_image(installed):
    installed("-m", "rts_tf", "enhance", "photo.png", "--model=residual1", "-o", "better.png", "-q")
    with Image.open(installed.folder / "better.png") as image:
        assert image.size == (48, 40)


def test_a_folder_for_a_device(installed):
    """It is written by the installed package, and its runner gives what rts settop gives."""
    pytest.importorskip("ai_edge_litert", reason="LiteRT is not installed (the extra 'device')")
    which = ["--formats=tflite", "--heads=enhance", "--precisions=float32"]
    size = ["--height=32", "--width=32", "--bundle=box", "-q"]
    installed("-m", "rts_tf", "export", "--model=residual1", *which, *size)
    box = installed.folder / "box"
    network = "tflite/enhance_float32.tflite"
    installed("-m", "rts_tf", "settop", box / network, "photo.png", "--output=one.png", "-q")
    blocked = "import sys; sys.modules |= dict.fromkeys(('tensorflow', 'keras', 'rts_tf')); "
    start = f"{blocked}sys.path.insert(0, 'box'); import runpy; "
    start += "runpy.run_module('settop', None, '__main__')"
    installed("-c", start, box / network, "photo.png", "--output=two.png")
    one, two = (np.asarray(Image.open(installed.folder / f"{n}.png")) for n in ("one", "two"))
    assert one.shape == (40, 48, 3)
    np.testing.assert_array_equal(one, two)
