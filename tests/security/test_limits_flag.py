"""``--limits``: generous limits by default, none with "off", and an error that names the flag."""

import pytest

from rts_tf import limits, viqet
from tests.security.malice import png_of
from tests.support.commands import command_of


@pytest.fixture(autouse=True)
def limits_as_they_were(monkeypatch):
    monkeypatch.setenv("RTS_LIMITS", "on")


def test_the_error_names_the_flag_and_the_flag_lifts_it(tmp_path):
    (tmp_path / "a.png").write_bytes(png_of(10_000, 10_000, 1))
    code, _, err = command_of(viqet, str(tmp_path / "a.png"))
    assert code == 1 and "or lift the limits with --limits=off" in err and "Traceback" not in err
    assert not limits.are_lifted()
    code, _, err = command_of(viqet, str(tmp_path / "none.png"), "--limits=off")
    assert code == 1 and "none.png" in err and limits.are_lifted()


def test_every_command_that_reads_what_strangers_send_has_it():
    from rts_tf import evaluate
    from rts_tf.cli.enhance_flags import FLAGS

    for flags in (FLAGS, viqet.FLAGS, evaluate.FLAGS):
        assert flags["limits"].default == "on"


def test_lifting_reaches_processes_that_are_started():
    limits.lift()
    assert limits.are_lifted()
    limits.set_again()
    assert not limits.are_lifted() and limits.FRAME.exceeded_by(2**40)
