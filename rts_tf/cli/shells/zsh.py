"""The completion script for zsh."""

from collections.abc import Iterator, Sequence

from rts_tf.cli.shells.table import Completed, Option

_START = """\
#compdef rts
# Completion of rts in zsh, printed by: rts completion zsh
_rts() {
    local -a commands
    if (( CURRENT == 2 )); then
        commands=("""
_SHIFT = """\
        )
        _describe command commands
        return
    fi
    shift words
    (( CURRENT-- ))
    case $words[1] in"""
_END = """\
    esac
}
if [ "$funcstack[1]" = "_rts" ]; then _rts "$@"; else compdef _rts rts; fi"""


def script(table: Sequence[Completed]) -> str:
    """Return the script. It can be sourced, or lie as ``_rts`` in a folder of ``$fpath``."""
    names = (f"            {_quoted(f'{c.name}:{_escaped(c.text)}')}" for c in table)
    cases = (f"        {line}" for command in table for line in _case(command))
    return "\n".join([_START, *names, _SHIFT, *cases, _END])


def _case(command: Completed) -> Iterator[str]:
    yield f"{command.name}) _arguments \\"
    for option in command.options:
        yield f"    {_argument(option)} \\"
    words = f"({' '.join(command.words)})" if command.words else "_files"
    last = _quoted(f"*:argument:{words}") if command.takes_arguments else "''"
    yield f"    {last} ;;" if command.takes_arguments else "    ;;"


def _argument(option: Option) -> str:
    text = f"[{_escaped(option.text)}]"
    if option.takes_value:
        text += f":{option.name}:{_action(option)}"
    name = f"--{option.name}{'=' * option.takes_value}"
    if not option.short:
        return _quoted(name + text)
    short = f"-{option.short}{'+' * option.takes_value}"
    return f"'(-{option.short} --{option.name})'{{{short},{name}}}{_quoted(text)}"


def _action(option: Option) -> str:
    """What offers the values of a flag."""
    values = " ".join(option.values)
    if option.values and option.files:
        return f"{{compadd -- {values}; _files}}"
    if option.values:
        return f"({values})"
    return "_files" if option.files else " "


def _escaped(text: str) -> str:
    for character in "\\[]:":
        text = text.replace(character, f"\\{character}")
    return text


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"
