"""How command lines are read: flags of all commands, short names, and what is refused."""

import json

import pytest

from tests.support.command_lines import run_all

NEEDED = "--model=a"
USAGE = "usage: rts-script FILE... --model=MODEL\nSee rts-script --help\n"
READ = {
    "-v alone": (["-v", "a"], {"verbose": True, "level": 1, "arguments": ["a"]}),
    "-v before a flag": (["a", "-v", "--fast"], {"verbose": True, "fast": True}),
    "-v=1 as absl has it": (["-v=1", "a"], {"verbose": True, "level": 1}),
    "--verbose": (["--verbose", "a"], {"verbose": True, "level": 1}),
    "--verbosity": (["--verbosity=1", "a"], {"verbose": False, "level": 1}),
    "-v with --verbosity": (["-v", "--verbosity=2", "a"], {"verbose": True, "level": 2}),
    "neither": (["a"], {"verbose": False, "quiet": False, "level": 0}),
    "-q": (["-q", "a"], {"quiet": True}),
    "--noquiet": (["-q", "--noquiet", "a"], {"quiet": False}),
    "-o value": (["a", "-o", "b"], {"output": "b", "arguments": ["a"]}),
    "-o=value": (["a", "-o=b"], {"output": "b"}),
    "--output value": (["--output", "b", "a"], {"output": "b", "arguments": ["a"]}),
    "-output=value": (["-output=b", "a"], {"output": "b"}),
    "a value that looks like a flag": (["a", "--output", "-v"], {"output": "-v", "verbose": False}),
    "behind --": (["--count", "3", "--", "-v", "-o"], {"count": 3, "arguments": ["-v", "-o"]}),
    "a lone dash": (["-", "--output=-"], {"output": "-", "arguments": ["-"]}),
}
REFUSED = {
    "no arguments": ([NEEDED], "name a file."),
    "too many": ([NEEDED, "a", "b", "c"], "unexpected argument 'c'."),
    "a flag that is needed": (["a"], "--model or --codec is missing: name one."),
    "no number": ([NEEDED, "a", "--count=x"], "--count=x: must be an integer"),
    "no boolean": ([NEEDED, "a", "--fast=x"], "--fast=x: must be true or false"),
    "no choice": (
        [NEEDED, "a", "--codec=x264"],
        "--codec=x264: must be one of auto, h264; did you mean h264?",
    ),
    "no value": ([NEEDED, "a", "--output"], "missing value for flag --output"),
    "a value for --no": ([NEEDED, "a", "--nofast=3"], "--nofast=3 does not take an argument"),
    "the start of a flag": (
        [NEEDED, "a", "--outp=b"],
        "unknown flag --outp; did you",
    ),
    "a short flag": ([NEEDED, "a", "-x"], "unknown flag -x"),
    "two lines": ([NEEDED, "a", "--a\nb"], "unknown flag --a\\nb"),
}


@pytest.fixture(scope="module")
def read() -> dict:
    lines = [
        ("script", [*words, NEEDED] if "--" not in words else [NEEDED, *words])
        for words, _ in READ.values()
    ]
    return dict(zip(READ, run_all("tests.support.probe", lines)))


@pytest.fixture(scope="module")
def refused() -> dict:
    lines = [("script", words) for words, _ in REFUSED.values()]
    return dict(zip(REFUSED, run_all("tests.support.probe", lines)))


@pytest.mark.parametrize("kind", READ)
def test_what_is_read(read, kind):
    assert read[kind].code == 0, read[kind].err
    state = json.loads(read[kind].out.splitlines()[-1])
    expected = READ[kind][1]
    assert {name: state[name] for name in expected} == expected
    assert ("informed" in read[kind].out) != state["quiet"]


@pytest.mark.parametrize("kind", REFUSED)
def test_what_is_refused(refused, kind):
    done = refused[kind]
    assert done.code == 2 and not done.out and done.err.startswith(f"error: {REFUSED[kind][1]}")
    assert done.err.endswith(USAGE) and done.err.count("\n") == 3
