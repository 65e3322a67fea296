"""Parses the command line of a command, and says what is wrong with it (exit code 2)."""

import difflib
import re
import sys
from collections.abc import Iterable
from typing import NamedTuple, NoReturn

from absl import flags

from rts_tf.cli.common_flags import define_common_flags
from rts_tf.cli.descriptions.command import Command
from rts_tf.cli.help_screen import choices, full_help, names, short_help, usage_line
from rts_tf.cli.verbosity import set_verbosity
from rts_tf.errors import printable

WRONG_USE = 2  # exit code
_COMMON = ("help", "helpfull", "version", "quiet", "verbose")
_ILLEGAL = re.compile(r"flag --(?P<name>\w+)=(?P<value>.*?): (?P<reason>.*)", re.DOTALL)


class CommandLine(NamedTuple):
    """A command that is about to start.

    Attributes:
        program: How the user called it, e.g. "rts enhance".
        command: Its description.
        own: Its flags; they are in ``absl.flags.FLAGS`` too.
    """

    program: str
    command: Command
    own: flags.FlagValues

    def define_flags(self) -> None:
        """Put all flags of the command into ``absl.flags.FLAGS``: its own, and the common ones."""
        if "output" in self.own:
            self.own["output"].short_name = "o"
        flags.FLAGS.append_flag_values(self.own)
        self.own.mark_as_parsed()
        define_common_flags(
            lambda: short_help(self.program, self.command, self.own),
            lambda: full_help(self.program, self.command, self.own, _absl_flags()),
        )

    def parse(self, words: list[str]) -> list[str]:
        """Return the name of the program and the arguments that are not flags.

        Exits with code 2 if the words cannot be understood, or something is missing. Exits with
        code 0 after ``--help`` and the like.
        """
        if len(words) == 1 and (self.command.missing or self.command.needed):
            print(short_help(self.program, self.command, self.own), file=sys.stderr)
            print(f"\nerror: {self.command.missing}", file=sys.stderr)
            sys.exit(WRONG_USE)
        try:
            arguments = flags.FLAGS(words)
        except flags.UnrecognizedFlagError as error:
            self.refuse(f"unknown flag {_dashed(error.flagname, words)}", self._meant(error))
        except (flags.Error, ValueError) as error:
            self.refuse(*_explained(str(error)))
        verbose = flags.FLAGS.verbose
        set_verbosity(quiet=flags.FLAGS.quiet, verbose=verbose)
        level = flags.FLAGS["verbosity"]
        if verbose and not level.present:
            level.parse("1")  # what absl calls debug
            level.using_default_value = False  # or absl.app sets it anew
        self._check(arguments[1:])
        return arguments

    def refuse(self, message: str, meant: str = "") -> NoReturn:
        """Print what is wrong, what was meant if that is known, and the usage; exit with code 2."""
        if meant:
            message += f"; did you mean {meant}?"
        print(printable(f"error: {message}"), file=sys.stderr)
        print(usage_line(self.program, self.command), file=sys.stderr)
        print(f"See {self.program} --help", file=sys.stderr)
        sys.exit(WRONG_USE)

    def _check(self, arguments: list[str]) -> None:
        least, most = self.command.arguments
        if len(arguments) < least:
            self.refuse(self.command.missing)
        if most is not None and len(arguments) > most:
            hint = "" if most else ": settings are flags, as in --name=value"
            self.refuse(f"unexpected argument {arguments[most]!r}{hint}.")
        for needed in self.command.needed:
            if not any(flags.FLAGS[name].present for name in needed.names):
                given = " or ".join(f"--{name}" for name in needed.names)
                self.refuse(f"{given} is missing: {needed.text}")

    def _meant(self, error: flags.UnrecognizedFlagError) -> str:
        known = [*names(self.own), *_COMMON]
        known += [f"no{name}" for name in names(self.own) if self.own[name].boolean]
        return "".join(f"--{name}" for name in nearest(error.flagname, known))


def nearest(word: str, known: Iterable[str]) -> list[str]:
    """Return the one of ``known`` that ``word`` is most like, in a list; an empty one if none is.

    A word that is the start of one name alone stands for that name.
    """
    known = list(known)
    starts = [name for name in known if len(word) > 1 and name.startswith(word)]
    return starts if len(starts) == 1 else difflib.get_close_matches(word, known, 1)


def _dashed(name: str, words: list[str]) -> str:
    """The flag ``name`` with the dashes that it has on the command line."""
    single = any(word.partition("=")[0] == f"-{name}" for word in words)
    return f"{'-' if single else '--'}{name}"


def _explained(message: str) -> tuple[str, str]:
    """What to say about an error of absl, and which value was meant instead."""
    found = _ILLEGAL.fullmatch(message)
    if not found or found["name"] not in flags.FLAGS:
        return message[:1].lower() + message[1:], ""
    flag = flags.FLAGS[found["name"]]
    given = f"--{flag.name}={found['value']}"
    if listed := choices(flag):
        return f"{given}: must be one of {', '.join(listed)}", "".join(
            nearest(found["value"], listed)
        )
    if flag.boolean:
        return f"{given}: must be true or false", ""
    if kind := flag.parser.syntactic_help:
        return f"{given}: must be {kind}", ""
    return f"{given}: {found['reason']}", ""


def _absl_flags() -> list[flags.Flag]:
    """The flags that absl itself defines, without those that a command replaces."""
    modules = flags.FLAGS.flags_by_module_dict()
    found = [flag for name in modules if name.split(".")[0] == "absl" for flag in modules[name]]
    return sorted(found, key=lambda flag: flag.name)
