"""Commands in README and docs/ name modules, flags and extras that exist."""

import configparser
import dataclasses
import importlib
import importlib.util
import pathlib
import re

import pytest

from rts_tf.cli.descriptions import COMMANDS
from rts_tf.config import Config
from tests.support.paths import ROOT

PAGES = [
    *sorted(ROOT.glob("*.md")),
    *sorted((ROOT / "docs").rglob("*.md")),
    *sorted((ROOT / "export").rglob("*.md")),
    ROOT / "rts_tf" / "settop" / "README.md",
]
# Commands of other programs that the pages show
OTHERS = {"build", "http.server", "json", "pip", "pytest", "venv"}
BUNDLED = {"settop": "rts_tf.settop"}  # the name of a module on a device
# Flags of the commands, or of their parsers, as the sources define them
DEFINED = re.compile(r"""(?:DEFINE_\w+\(|add_argument\(|add_argument\(\s*"\w+",)\s*"(?:--)?(\w+)""")


def code_of(page: pathlib.Path) -> str:
    """The fenced blocks of a page, and its code spans that are commands."""
    text = page.read_text(encoding="utf-8")
    code = "\n".join(re.findall(r"^```[a-z]*\n(.*?)^```", text, re.MULTILINE | re.DOTALL))
    code += "\n" + "\n".join(re.findall(r"`([^`\n]*(?:python -m|rts )[^`]*)`", text))
    return code.replace("\\\n", " ")


def commands(page: pathlib.Path) -> list[tuple[str, list[str]]]:
    """Module and flags of every ``python -m`` of a page."""
    found = re.findall(r"python3? -m ([\w.]+)([^\n|&#;]*)", code_of(page))
    return [(module, re.findall(r"(?<=\s--)\w+", rest)) for module, rest in found]


def defined_flags() -> set[str]:
    folders = ("rts_tf", "experiments", "benchmarks", "export", "tests")
    sources = [path for folder in folders for path in (ROOT / folder).rglob("*.py")]
    texts = [path.read_text(encoding="utf-8") for path in sources]
    settings = {field.name for field in dataclasses.fields(Config)}
    return settings.union({"help"}, *map(DEFINED.findall, texts))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_commands_exist(page):
    known = defined_flags()
    for module, names in commands(page):
        if module in OTHERS:
            continue
        assert importlib.util.find_spec(BUNDLED.get(module, module)), module
        unknown = {
            name for name in names if name not in known and name.removeprefix("no") not in known
        }
        assert not unknown, f"{module}: {unknown}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_subcommands_exist(page):
    """Each ``rts NAME`` is a subcommand with the flags that the page gives it."""
    commands = {command.name: command for command in COMMANDS}
    for name, rest in re.findall(r"\brts ([a-z][a-z-]*)([^\n|&#;`]*)", code_of(page)):
        own = getattr(importlib.import_module(commands[name].entry), "FLAGS", None)
        for flag in re.findall(r"(?<=\s--)\w+", rest) if own else ():
            known = flag in own or flag.removeprefix("no") in own
            assert known or flag in ("help", "helpfull"), f"rts {name} --{flag}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_extras_exist(page):
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg", encoding="utf-8")
    for names in re.findall(r"'\.\[([\w,]+)\]'", page.read_text(encoding="utf-8")):
        for name in names.split(","):
            assert name in setup["options.extras_require"] or name == "NAME"


def test_ci_runs_the_test_command_of_the_readme():
    """.ci/run takes the second ``sh`` block; the first one trains a network."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    first, second = re.findall(r"^```sh\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)[:2]
    assert "-m rts_tf.main" in first and second.rstrip().endswith("-m pytest")
