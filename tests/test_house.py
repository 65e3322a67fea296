"""The rules of the house that no linter checks: sizes of files and functions, and the words of the field."""

import ast
import pathlib
import re

import pytest

from tests.support.paths import ROOT

LONGEST_FILE = 300  # lines
LONGEST_FUNCTION = 60  # lines
MOST_POSITIONAL = 6  # parameters that may be given by position
MODULES = sorted((ROOT / "rts_tf").rglob("*.py"))
ROOT_MODULES = {
    "__init__", "config", "errors", "evaluate", "inference", "main", "storage", "viqet",
}
# The field says image, video, baseline.
OLD_WORDS = re.compile(r"\b(films?|photographs?|pictures?|rivals?|told)\b", re.IGNORECASE)
# Names of what lies on users' disks: run directories and half-made videos of earlier versions are continued.
ON_DISK = ('"photographs": list(names)', '"film": ')


def functions(path: pathlib.Path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def test_root_holds_the_named_modules_alone():
    assert {path.stem for path in (ROOT / "rts_tf").glob("*.py")} == ROOT_MODULES


def test_recurrence_fits_two_screens():
    recurrence = ROOT / "rts_tf" / "training" / "recurrence.py"
    assert len(recurrence.read_text(encoding="utf-8").splitlines()) < 120


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_sizes(path):
    assert len(path.read_text(encoding="utf-8").splitlines()) <= LONGEST_FILE
    for function in functions(path):
        length = function.end_lineno - function.lineno + 1
        assert length <= LONGEST_FUNCTION, f"{function.name} has {length} lines"
        positional = len(function.args.posonlyargs) + len(function.args.args)
        assert positional <= MOST_POSITIONAL, f"{function.name} takes {positional} arguments"


TEXTS = [*MODULES, ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_words_of_the_field(path):
    lines = enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
    kept = [(number, line) for number, line in lines if not any(name in line for name in ON_DISK)]
    found = [f"{number}: {line.strip()}" for number, line in kept if OLD_WORDS.search(line)]
    assert not found, "\n".join(found)
