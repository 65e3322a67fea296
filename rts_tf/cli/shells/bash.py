"""The completion script for bash, 3.2 (macOS) and later."""

from collections.abc import Iterator, Sequence

from rts_tf.cli.shells.table import Completed

# Readline splits --codec=h264 at "=", unless the user has taken it out of COMP_WORDBREAKS.
_FUNCTION = r"""
_rts() {
    local flags='' values='' kind='' words='' name='' before='' reply
    local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]}
    COMPREPLY=()
    if [[ $COMP_CWORD -eq 1 ]]; then
        COMPREPLY=($(compgen -W "$_rts_subcommands --help --version" -- "$current"))
        return
    fi
    if [[ $current == -*=* ]]; then
        name=${current%%=*} before=${current%%=*}= current=${current#*=}
    elif [[ $current == = ]]; then
        name=$previous current=''
    elif [[ $previous == = && $COMP_CWORD -ge 2 ]]; then
        name=${COMP_WORDS[COMP_CWORD-2]}
    elif [[ $previous == -* ]]; then
        name=$previous
    fi
    _rts_table "${COMP_WORDS[1]}" "$name"
    if [[ $kind == number ]]; then
        compopt +o default +o bashdefault 2>/dev/null
    elif [[ -n $kind ]]; then
        COMPREPLY=($(compgen -P "$before" -W "$values" -- "$current"))
        if [[ $kind == files && -n $values ]]; then
            while IFS= read -r reply; do
                COMPREPLY+=("$before$reply")
            done < <(compgen -f -- "$current")
            compopt -o filenames 2>/dev/null
        fi
    elif [[ $current == -* || ( -z $current && $words == none ) ]]; then
        COMPREPLY=($(compgen -W "$flags" -- "$current"))
        if [[ ${#COMPREPLY[@]} -eq 1 && ${COMPREPLY[0]} == *= ]]; then
            compopt -o nospace 2>/dev/null
        fi
    elif [[ -n $words && $words != none ]]; then
        COMPREPLY=($(compgen -W "$words" -- "$current"))
    fi
}
""".strip()


def script(table: Sequence[Completed]) -> str:
    """Return the script. Without an answer of its own function, bash completes files."""
    return "\n".join(
        [
            "# Completion of rts in bash, printed by: rts completion bash",
            f'_rts_subcommands="{" ".join(command.name for command in table)}"',
            "# Sets flags, words, and kind and values of a flag: enum, files or number.",
            "_rts_table() {",
            "    case $1 in",
            *(f"        {line}" for command in table for line in _case(command)),
            "    esac",
            "}",
            _FUNCTION,
            "complete -o bashdefault -o default -F _rts rts",
        ]
    )


def _case(command: Completed) -> Iterator[str]:
    words = " ".join(command.words) or ("" if command.takes_arguments else "none")
    names = (f"--{option.name}{'=' * option.takes_value}" for option in command.options)
    yield f"{command.name})"
    yield f"    words='{words}'"
    yield f"    flags='{' '.join(names)}'"
    yield "    case $2 in"
    for option in command.options:
        if option.takes_value:
            kind = "files" if option.files else "enum" if option.values else "number"
            pattern = f"--{option.name}|-{option.short}" if option.short else f"--{option.name}"
            yield f"        {pattern}) kind={kind} values='{' '.join(option.values)}' ;;"
    yield "    esac ;;"
