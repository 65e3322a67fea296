"""Help screens, versions and refusals: every command, every form, and the right exit code."""

import functools
import importlib
import re

import pytest

from rts_tf.cli.descriptions import COMMANDS
from rts_tf.cli.descriptions.command import Command
from rts_tf.cli.help_screen import names
from tests.support.command_lines import Done, run_all

# By case: the words, and the exit code
CASES = {
    "help": (["--help"], 0),
    "h": (["-h"], 0),
    "helpfull": (["--helpfull"], 0),
    "version": (["--version"], 0),
    "nothing": ([], 2),
    "unknown": (["--bogus_flag"], 2),
    "mistyped": (["--{}"], 2),
}
# Forms with how screens name the command. Those of "script" are what pip makes: rts-train and so on
FORMS = {"rts": "rts {name}", "module": "python -m {module}", "script": "rts-script"}
RTS = Command("", "rts_tf", "rts_tf.__main__", "")
# The runner for devices parses its own command line, since it runs without absl.
FLAGGED = [command for command in COMMANDS if command.name != "settop"]


def calls(*commands: Command):
    """A decorator that runs a test for each command in each form that it has."""
    return pytest.mark.parametrize(
        ("command", "form"),
        [
            pytest.param(command, form, id=f"{command.name or 'rts'}-{form}")
            for command in commands
            for form in FORMS
            if command.module or form != "module"
        ],
    )


VERSION = re.compile(r"rts_tf \d\S* \(TensorFlow \d\S*, Keras \d\S*, Python \d\S*\)\n")


def known_flag(command: Command) -> str:
    """A flag of a command that a mistyped one is to be near."""
    shown = [flag.name for group in command.groups for flag in group.shown]
    return shown[0] if shown else "version"


def mistyped(command: Command) -> str:
    name = known_flag(command)
    return name[0] + name[2] + name[1] + name[3:]


@functools.cache
def done_by(command: Command) -> dict[tuple[str, str], Done]:
    """What each case of each form of a command did."""
    keys, lines = [], []
    forms = [form for form in FORMS if command.module or form != "module"]
    for case, (words, _) in CASES.items():
        for form in forms:
            first = [command.name] if form == "rts" and command.name else []
            keys.append((case, form))
            lines.append((form, [*first, *(word.format(mistyped(command)) for word in words)]))
    return dict(zip(keys, run_all(command.entry, lines)))


def check_width(text: str) -> None:
    too_wide = [line for line in text.splitlines() if len(line) > 80]
    assert not too_wide


@pytest.mark.parametrize("case", CASES)
@calls(*COMMANDS, RTS)
def test_exit_code_and_where_it_is_printed(command, case, form):
    done = done_by(command)[case, form]
    code = CASES[case][1]
    assert done.code == code and "Traceback" not in done.err
    assert bool(done.out) == (code == 0) and bool(done.err) == (code == 2)
    assert "tensorflow" not in done.imported and "keras" not in done.imported


@pytest.mark.parametrize("case", ["help", "h"])
@calls(*FLAGGED)
def test_the_help_screen(command, case, form):
    screen = done_by(command)[case, form].out
    check_width(screen)
    assert len(screen.splitlines()) <= 40
    program = FORMS[form].format(name=command.name, module=command.module)
    assert screen.startswith(command.purpose) and f"usage: {program} {command.usage}" in screen
    assert len(re.findall(rf"^  {re.escape(program)} ", screen, re.MULTILINE)) == 3
    own = importlib.import_module(command.entry).FLAGS
    common = {"help", "helpfull", "version", "quiet", "verbose"}
    named = {name.removeprefix("[no]") for name in re.findall(r"--(\[no\]\w+|\w+)", screen)}
    assert common <= named and named <= set(own) | common


@calls(*FLAGGED)
def test_the_full_help_names_every_flag(command, form):
    screen = done_by(command)["helpfull", form].out
    own = importlib.import_module(command.entry).FLAGS
    listed = re.findall(r"^  (?:-., |    )--(?:\[no\])?(\w+)", screen, re.MULTILINE)
    assert set(names(own)) < set(listed) and "verbosity" in listed
    assert len(listed) == len(set(listed)) < len(names(own)) + 25  # those of absl are few


@pytest.mark.parametrize("command", FLAGGED, ids=lambda command: command.name)
def test_groups_hold_flags_that_exist_once(command):
    own = importlib.import_module(command.entry).FLAGS
    grouped = [shown.name for group in command.groups for shown in group.shown]
    grouped += [name for group in command.groups for name in group.more]
    assert len(grouped) == len(set(grouped)) and set(grouped) <= set(own)
    assert {name for needed in command.needed for name in needed.names} <= set(own)


@calls(*FLAGGED, RTS)
def test_the_version(command, form):
    assert VERSION.fullmatch(done_by(command)["version", form].out)


@calls(*FLAGGED)
def test_refusals_say_what_is_wrong_and_what_to_do(command, form):
    program = FORMS[form].format(name=command.name, module=command.module)
    done = done_by(command)
    end = f"usage: {program} {command.usage}\nSee {program} --help\n"
    assert done["unknown", form].err == f"error: unknown flag --bogus_flag\n{end}"
    meant = f"did you mean --{known_flag(command)}?"
    wrong = f"error: unknown flag --{mistyped(command)}; {meant}\n"
    assert done["mistyped", form].err == wrong + end
    screen = done["help", form].out
    assert done["nothing", form].err == f"{screen}\nerror: {command.missing}\n"


@calls(*(command for command in COMMANDS if command not in FLAGGED))
def test_the_runner_for_devices(command, form):
    done = done_by(command)
    program = FORMS[form].format(name=command.name, module=command.module)
    screen = done["help", form].out
    check_width(screen)
    assert screen == done["h", form].out == done["helpfull", form].out == done["nothing", form].err
    assert f"usage: {program} MODEL.tflite INPUT" in screen and f"\n  {program} enhance" in screen
    assert re.fullmatch(r"rts_tf \d\S*, the runner for devices\n", done["version", form].out)
    for case in ("unknown", "mistyped"):
        said = done[case, form].err
        assert said.startswith("error: ") and said.endswith("; see --help\n")


def test_the_screen_of_rts():
    done = done_by(RTS)["help", "rts"]
    check_width(done.out)
    assert not done.imported  # nothing that takes long
    for command in COMMANDS:
        assert f"  {command.name} " in done.out and command.summary in done.out
    assert done.out.count("\n  rts ") == 3
    assert done_by(RTS)["nothing", "rts"].err == done.out


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("enhnce", "error: 'enhnce' is none of the commands; did you mean rts enhance?"),
        ("colour", "error: 'colour' is none of the commands: enhance, train, evaluate"),
        ("-q", "error: -q: name a command before its flags"),
        ("a\nb", "error: 'a\\nb' is none of the commands"),
    ],
)
def test_a_mistyped_subcommand(word, said):
    (done,) = run_all("rts_tf.__main__", [("rts", [word, "photo.jpg"])])
    assert done.code == 2 and done.err.startswith(said) and "See rts --help" in done.err
