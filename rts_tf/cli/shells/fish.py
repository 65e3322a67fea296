"""The completion script for fish, 3.0 and later."""

from collections.abc import Iterator, Sequence

from rts_tf.cli.shells.table import Completed, Option


def script(table: Sequence[Completed]) -> str:
    """Return the script, one ``complete`` for each subcommand and flag."""
    lines = ["# Completion of rts in fish, printed by: rts completion fish"]
    for command in table:
        text = _quoted(command.text)
        lines.append(f"complete -c rts -n __fish_use_subcommand -f -a {command.name} -d {text}")
    for command in table:
        lines += _lines(command)
    return "\n".join(lines)


def _lines(command: Completed) -> Iterator[str]:
    start = f"complete -c rts -n '__fish_seen_subcommand_from {command.name}'"
    if command.words:
        yield f"{start} -f -a {_quoted(' '.join(command.words))}"
    elif not command.takes_arguments:
        yield f"{start} -f"
    for option in command.options:
        yield f"{start} -l {option.name} {_rest(option)}"


def _rest(option: Option) -> str:
    parts = [f"-s {option.short}"] if option.short else []
    if option.takes_value:
        parts.append("-r -F" if option.files else "-x")
    if option.values:
        parts.append(f"-a {_quoted(' '.join(option.values))}")
    return " ".join([*parts, f"-d {_quoted(option.text)}"])


def _quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
