"""Completion scripts, each in the shell that it is for."""

import shutil
import subprocess

import pytest

from rts_tf.cli import completion
from rts_tf.cli.descriptions import COMMANDS
from rts_tf.cli.shells import SHELLS

NAMES = [command.name for command in COMMANDS]
# What is typed, and what is offered: "..." stands for more, None for files, which bash does itself
TYPED = {
    "rts |": [*NAMES, "..."],
    "rts ev|": ["evaluate"],
    "rts enhance --stren|": ["--strength="],
    "rts enhance --over|": ["--overwrite"],
    "rts enhance --noover|": ["--nooverwrite"],
    "rts enhance photo.png --codec=h|": ["h264", "hevc"],
    "rts enhance --codec=|": ["auto", "h264", "hevc", "vp9", "av1", "ffv1"],
    "rts enhance --codec h|": ["h264", "hevc"],
    "rts viqet --help|": ["--help", "--helpfull"],
    "rts enhance --model=residual3-w|": ["residual3-wide", "residual3-wide-jpeg"],
    "rts evaluate --model my|": ["my run"],
    "rts train --network=srr|": ["srresnet"],
    "rts train --pres|": ["--preset="],
    "rts train --stages=|": None,
    "rts train |": ["--workdir=", "--data=", "..."],
    "rts completion |": ["bash", "zsh", "fish"],
    "rts enhance |": None,
    "rts enhance --output |": None,
    "rts enhance -o my|": None,
    "rts unknown --a|": None,
}


@pytest.fixture(scope="module")
def scripts(tmp_path_factory):
    """A folder with the script of each shell, and a file to complete."""
    folder = tmp_path_factory.mktemp("completion")
    table = completion.table()
    for shell, script in SHELLS.items():
        (folder / f"rts.{shell}").write_text(script(table) + "\n")
    (folder / "here").mkdir()
    (folder / "here" / "my run").touch()
    return folder


def run_in(shell: str, folder, *words: str) -> list[str]:
    """The lines that a shell prints. Its PATH is empty, so completing cannot start a program."""
    program = shutil.which(shell)
    if not program:
        pytest.skip(f"the shell {shell} is not installed")
    done = subprocess.run(
        [program, *words],
        cwd=folder / "here",
        capture_output=True,
        text=True,
        timeout=60,
        env={"PATH": "", "HOME": str(folder)},
    )
    assert done.returncode == 0 and not done.stderr, done.stderr
    return done.stdout.splitlines()


def words_of(typed: str) -> list[str]:
    """The words that bash makes of a line up to the cursor: it splits at "=" too."""
    return typed.removesuffix("|").replace("=", " = ").replace("=  ", "= ").split(" ")


@pytest.mark.parametrize("typed", TYPED)
def test_bash(scripts, typed):
    words = words_of(typed)
    if words[-2:] == ["=", ""]:
        words.pop()  # the cursor is at "="
    ask = 'source ../rts.bash; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _rts rts; '
    ask += 'for reply in "${COMPREPLY[@]}"; do echo "$reply"; done'
    found = run_in("bash", scripts, "--norc", "-c", ask, "bash", *words)
    expected = TYPED[typed]
    if expected and expected[-1] == "...":
        assert set(expected[:-1]) < set(found)
    else:
        assert found == (expected or [])


def test_bash_where_words_are_not_split(scripts):
    """Some users take "=" out of COMP_WORDBREAKS."""
    ask = "source ../rts.bash; COMP_WORDS=(rts enhance --codec=h); COMP_CWORD=2; _rts rts; "
    ask += 'echo "${COMPREPLY[@]}"'
    assert run_in("bash", scripts, "--norc", "-c", ask) == ["--codec=h264 --codec=hevc"]


def test_bash_registers_the_function(scripts):
    found = run_in("bash", scripts, "--norc", "-c", "source ../rts.bash; complete -p rts")
    assert found == ["complete -o bashdefault -o default -F _rts rts"]


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("rts ev", ["evaluate"]),
        ("rts enhance --codec=h", ["--codec=h264", "--codec=hevc"]),
        ("rts enhance --codec h", ["h264", "hevc"]),
        ("rts enhance --model my", ["my run"]),
        ("rts enhance --model luma-s", ["luma-small"]),
        ("rts enhance -o m", ["my run"]),
        ("rts enhance m", ["my run"]),
        ("rts completion z", ["zsh"]),
        ("rts train m", []),
    ],
)
def test_fish(scripts, typed, offered):
    found = run_in(
        "fish", scripts, "--no-config", "-c", f"source ../rts.fish; complete -C'{typed}'"
    )
    assert [line.partition("\t")[0].replace("\\ ", " ") for line in found] == offered


ZSH = """
compdef() { }
_describe() { print -rl -- $commands }
_arguments() { print -rl -- "$@" }
source ../rts.zsh
words=("$@"); CURRENT=$#
_rts
"""


def zsh(scripts, *words: str) -> list[str]:
    """What the function hands to zsh's own."""
    return run_in("zsh", scripts, "-f", "-c", ZSH, "zsh", *words)


def test_zsh(scripts):
    offered = zsh(scripts, "rts", "")
    assert [line.partition(":")[0] for line in offered] == NAMES
    specs = zsh(scripts, "rts", "enhance", "")
    assert "--codec=[auto, h264, hevc, vp9, av1, ffv1]:codec:(auto h264 hevc vp9 av1 ffv1)" in specs
    output = "[A file for one input, a folder for several, or -]:output:_files"
    assert {f"(-o --output)-o+{output}", f"(-o --output)--output={output}"} < set(specs)
    assert "--strength=[Share of its change, from 0 to 1.5]:strength: " in specs
    assert specs[-1] == "*:argument:_files"
    (model,) = [spec for spec in specs if spec.startswith("--model=")]
    assert model.endswith("; _files}") and "{compadd -- auto fast" in model
    assert zsh(scripts, "rts", "completion", "")[-1] == "*:argument:(bash zsh fish)"
    assert zsh(scripts, "rts", "train", "")[-1].endswith("[Log lines for debugging]")


def test_flags_whose_values_are_offered():
    """Everything that has choices, and what takes the name of weights."""
    options = {
        (row.name, option.name): option for row in completion.table() for option in row.options
    }
    assert "residual3" in options["distill", "teacher"].values
    assert "auto" in options["enhance", "model"].values
    assert "auto" not in options["distill", "teacher"].values
    assert not any("[no]" in name or not option.text for (_, name), option in options.items())
