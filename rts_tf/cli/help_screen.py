"""Writes the screens of ``--help`` and ``--helpfull`` of a command, 80 columns wide."""

import re
import textwrap
from collections.abc import Iterable, Iterator

from absl import flags

from rts_tf.cli.descriptions.command import Command, Group, Shown

WIDTH = 80
_LEFT = 26  # columns for the names of flags
_LONGEST_CHOICE = 10  # characters of choices that stand for the value, as in --scale=1|2
_SENTENCE = re.compile(r"(?<=[.])\s")
# What every command takes, see rts_tf.cli.common_flags
COMMON = (
    ("-q, --quiet", "No progress and no informational lines."),
    ("-v, --verbose", "Log lines for debugging, those of TensorFlow too."),
    ("-h, --help", "This screen; --helpfull shows all flags."),
    ("    --version", "The versions of rts_tf, TensorFlow, Keras and Python."),
)


def short_help(program: str, command: Command, own: flags.FlagValues) -> str:
    """Return the screen of ``--help``.

    Args:
        program: How the user called the command, e.g. "rts enhance".
        command: Its description. Without groups, all flags are shown.
        own: Its flags.
    """
    groups = command.groups or (Group("Flags", tuple(map(Shown, names(own)))),)
    parts = [_head(program, command)]
    for group in groups:
        rows = (_row(own[shown.name], shown) for shown in group.shown)
        parts.append(_section(group.title, rows))
    return _joined([*parts, _section("All commands", COMMON)])


def full_help(
    program: str, command: Command, own: flags.FlagValues, absl: Iterable[flags.Flag] = ()
) -> str:
    """Return the screen of ``--helpfull``: all flags with all that is known about them.

    Args:
        program: As in :func:`short_help`.
        command: The same.
        own: The same.
        absl: The flags of absl.
    """
    parts, seen = [_head(program, command)], set()
    for group in command.groups:
        members = {shown.name: shown for shown in group.shown}
        members |= {name: Shown(name) for name in group.more}
        seen |= set(members)
        rows = (_full_row(own[name], shown.value) for name, shown in members.items())
        parts.append(_section(group.title, rows))
    rest = (_full_row(own[name]) for name in names(own) if name not in seen)
    parts.append(_section("More flags" if command.groups else "Flags", rest))
    parts.append(_section("All commands", COMMON))
    parts.append(_section("From absl", (_full_row(flag, short="") for flag in absl)))
    return _joined(parts)


def names(own: flags.FlagValues) -> list[str]:
    """The names of the flags of a command, without its short names."""
    return [name for name in own if name == own[name].name]


def choices(flag: flags.Flag) -> tuple[str, ...]:
    """The values that a flag takes, if they can be listed."""
    return tuple(getattr(flag.parser, "enum_values", None) or ())


def first_sentence(flag: flags.Flag) -> str:
    """The first sentence of a flag's help."""
    return _SENTENCE.split(_help(flag))[0]


def usage_line(program: str, command: Command) -> str:
    """The line that shows how to call a command."""
    return f"usage: {program} {command.usage or '[flags]'}"


def _head(program: str, command: Command) -> str:
    lines = [command.purpose, "", usage_line(program, command)]
    if command.examples:
        lines += ["", "Examples:"]
    for comment, arguments in command.examples:
        lines += [f"  # {comment}", f"  {program} {arguments}"]
    return "\n".join(lines)


def _section(title: str, rows: Iterable[tuple[str, str]]) -> str:
    lines = [line for left, text in rows for line in _lines(left, text)]
    return "\n".join([f"{title}:", *lines]) if lines else ""


def _joined(parts: Iterable[str]) -> str:
    return "\n\n".join(part for part in parts if part)


def _lines(left: str, text: str) -> Iterator[str]:
    """One entry: names on the left, text on the right, or below if the names are long."""
    left = f"  {left}"
    wrapped = textwrap.wrap(text, WIDTH - _LEFT, break_on_hyphens=False) or [""]
    if len(left) > _LEFT - 1:
        yield left
        left = ""
    for line in wrapped:
        yield f"{left:<{_LEFT}}{line}".rstrip()
        left = ""


def _row(flag: flags.Flag, shown: Shown) -> tuple[str, str]:
    text = shown.text or _with_choices(first_sentence(flag), flag, shown.value)
    return _left(flag, shown.value), f"{text} {_default(flag)}"


def _full_row(flag: flags.Flag, value: str = "", short: str | None = None) -> tuple[str, str]:
    text = _with_choices(_help(flag), flag, value)
    return _left(flag, value, short), f"{text} {_default(flag)}"


def _help(flag: flags.Flag) -> str:
    """The help text on one line, without the choices that absl writes in front of it."""
    text = " ".join((flag.help or "").split())
    return text.removeprefix(f"<{'|'.join(choices(flag))}>: ")


def _with_choices(text: str, flag: flags.Flag, value: str) -> str:
    listed = choices(flag)
    if not listed or "|" in (value or _value(flag)):
        return text
    return f"{text} One of {', '.join(name or repr(name) for name in listed)}."


def _left(flag: flags.Flag, value: str, short: str | None = None) -> str:
    short = (flag.short_name or "") if short is None else short
    dash = f"-{short}, " if short else "    "
    if not flag.boolean:
        return f"{dash}--{flag.name}={value or _value(flag)}"
    return f"{dash}--{flag.name}" if flag.default is False else f"{dash}--[no]{flag.name}"


def _value(flag: flags.Flag) -> str:
    """What stands for the value of a flag."""
    listed = "|".join(choices(flag))
    if listed and len(listed) <= _LONGEST_CHOICE:
        return listed
    if listed:
        return flag.name.rpartition("_")[2].upper()
    kind = flag.parser.flag_type()
    return {"int": "N", "float": "X"}.get(kind, "LIST" if "list" in kind else "TEXT")


def _default(flag: flags.Flag) -> str:
    """The default in brackets, as in [auto]; "" if there is none, or it is off."""
    default = (flag.default_as_str or "").strip("'")
    if not default or flag.default is False:
        return ""
    if flag.boolean:
        default = default.lower().replace("true", "on").replace("false", "off")
    elif "list" in flag.parser.flag_type():
        default = default.replace(",", ", ")  # so that it can be wrapped
    return f"[{default}]"
