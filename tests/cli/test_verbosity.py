"""What a command says with -q and -v."""

import pytest

from rts_tf.cli import verbosity


@pytest.fixture(autouse=True)
def reset():
    yield
    verbosity.set_verbosity()


def test_nothing_is_quiet_or_verbose_by_itself(capsys):
    assert not verbosity.is_quiet() and not verbosity.is_verbose()
    verbosity.inform("report: here")
    assert capsys.readouterr().out == "report: here\n"


def test_a_quiet_command_informs_of_nothing(capsys):
    verbosity.set_verbosity(quiet=True)
    verbosity.inform("report: here")
    assert verbosity.is_quiet() and capsys.readouterr() == ("", "")


def test_a_verbose_command():
    verbosity.set_verbosity(verbose=True)
    assert verbosity.is_verbose() and not verbosity.is_quiet()
