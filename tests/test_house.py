"""Rules of this repository that no linter checks: sizes of files and functions, and words."""

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
    "__init__",
    "__main__",
    "config",
    "distill",
    "errors",
    "evaluate",
    "inference",
    "limits",
    "locks",
    "main",
    "quiet",
    "settings",
    "storage",
    "viqet",
    "workers",
}
TESTS = sorted((ROOT / "tests").rglob("*.py"))
# The field says image, video, baseline. Names count as well: read_picture, FilmInfo.
OLD_WORDS = re.compile(r"(?<![A-Za-z])(?i:films?|photographs?|pictures?|rivals?|told)(?![a-z])")
# Keys on users' disks. Run directories and half-made videos of earlier versions are continued.
ON_DISK = ('"photographs": list(names)', 'SOURCE_KEY = "film"')
TEXTS = [
    *MODULES,
    *sorted((ROOT / "rts_tf" / "report" / "web").iterdir()),
    *sorted((ROOT / "rts_tf" / "export" / "page").iterdir()),
    *sorted(ROOT.glob("*.md")),
    *sorted((ROOT / "docs").rglob("*.md")),
    *sorted((ROOT / "export").rglob("*.md")),
    ROOT / "rts_tf" / "settop" / "README.md",
]


def relative(path: pathlib.Path) -> str:
    return path.relative_to(ROOT).as_posix()


def functions(path: pathlib.Path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def imported(path: pathlib.Path) -> set[str]:
    """The modules that a module imports, and module.name for each name that it imports."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return names


def test_root_holds_only_the_named_modules():
    assert {path.stem for path in (ROOT / "rts_tf").glob("*.py")} == ROOT_MODULES


def test_recurrence_fits_two_screens():
    recurrence = ROOT / "rts_tf" / "training" / "recurrence.py"
    assert len(recurrence.read_text(encoding="utf-8").splitlines()) < 120


@pytest.mark.parametrize("path", MODULES, ids=relative)
def test_sizes(path):
    assert len(path.read_text(encoding="utf-8").splitlines()) <= LONGEST_FILE
    for function in functions(path):
        length = function.end_lineno - function.lineno + 1
        assert length <= LONGEST_FUNCTION, f"{function.name} has {length} lines"
        positional = len(function.args.posonlyargs) + len(function.args.args)
        assert positional <= MOST_POSITIONAL, f"{function.name} takes {positional} arguments"


@pytest.mark.parametrize("path", MODULES, ids=relative)
def test_every_module_says_what_it_is_for(path):
    text = path.read_text(encoding="utf-8")
    assert not text or ast.get_docstring(ast.parse(text))


@pytest.mark.parametrize("path", TESTS, ids=relative)
def test_no_test_imports_another(path):
    """What tests share is in tests/support."""
    others = [name for name in imported(path) if re.match(r"tests\.(\w+\.)*test_", name)]
    assert not others


@pytest.mark.parametrize("path", TEXTS, ids=relative)
def test_words_of_the_field(path):
    lines = enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
    kept = [(number, line) for number, line in lines if not any(name in line for name in ON_DISK)]
    found = [f"{number}: {line.strip()}" for number, line in kept if OLD_WORDS.search(line)]
    assert not found, "\n".join(found)
