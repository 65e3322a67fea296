"""A peer in a process of its own is timed call by call, and each way to fail has a message."""

import contextlib
import os
import sys

import pytest

from benchmarks.peer_process import MissingPackage, PeerError, PeerProcess, started

PEER = "tests.support.fake_peer"


def test_calls_of_two_peers_alternate():
    with PeerProcess(PEER, {"value": 1}) as one, PeerProcess(PEER, {"value": [2, "two"]}) as two:
        assert "busy" in one.names
        for _ in range(3):
            assert one.call("value")[1] == 1
            assert two.call("value")[1] == [2, "two"]


def test_the_peer_measures_clock_and_processor():
    with PeerProcess(PEER, {}) as peer:
        busy, asleep = peer.seconds("busy"), peer.seconds("sleep")
    assert busy.clock >= 0.09 and busy.processor >= 0.1
    assert asleep.clock >= 0.1 and asleep.processor < 0.09


def test_what_a_library_prints_does_not_disturb_the_answers():
    with PeerProcess(PEER, {"value": "still here"}) as peer:
        peer.call("print")
        assert peer.call("value")[1] == "still here"


def test_calls_have_arguments():
    with PeerProcess(PEER, {}) as peer:
        assert peer.call("sum", 1, 2)[1] == 3 and peer.call("sum", "a", "b")[1] == "ab"


@pytest.mark.skipif(os.name != "posix", reason="the interpreter is a shell script")
@pytest.mark.parametrize("line", ["Welcome!", "[1]", '{"other": 1}', r"\0377", ""])
def test_an_interpreter_that_prints_rubbish_is_named(tmp_path, line):
    """As one does whose startup files print to stdout."""
    python = tmp_path / "python"
    python.write_text(f"#!/bin/sh\nprintf '{line}\\n'\n")
    python.chmod(0o755)
    with pytest.raises(PeerError, match="^tests.support.fake_peer: .* is no answer. Does its inte"):
        PeerProcess(PEER, {}, python=str(python))


def test_whatever_stops_a_peer_from_starting_is_a_line():
    with contextlib.ExitStack() as processes:
        peer, why_not = started("Fake", PEER, {"value": 1}, "", processes)
        assert peer and peer.call("value")[1] == 1 and not why_not
        for arguments, reason in (
            ({"crashes": True}, "crashed with SIGSEGV"),
            ({"needs": "no_such_package"}, "no_such_package is not installed for "),
            ({"raises": "too old"}, "ValueError: too old"),
        ):
            peer, why_not = started("Fake", PEER, arguments, "", processes)
            assert peer is None and why_not.startswith("Fake is not compared: ")
            assert reason in why_not


def test_a_missing_package_is_named():
    with pytest.raises(MissingPackage, match="^no_such_package is not installed for ") as raised:
        PeerProcess(PEER, {"needs": "no_such_package"})
    assert raised.value.name == "no_such_package" and sys.executable in str(raised.value)


def test_an_exception_of_the_peer_is_quoted():
    with pytest.raises(PeerError, match="^tests.support.fake_peer: ValueError: loss 2"):
        PeerProcess(PEER, {"raises": "loss 2 instead of 1"})
    with PeerProcess(PEER, {}) as peer, pytest.raises(PeerError, match="ZeroDivisionError: "):
        peer.call("raise")


def test_a_crash_ends_with_a_message():
    with pytest.raises(PeerError, match="crashed with SIGSEGV"):
        PeerProcess(PEER, {"crashes": True})
    with PeerProcess(PEER, {}) as peer:
        with pytest.raises(PeerError, match="crashed with SIGSEGV"):
            peer.call("crash")
        with pytest.raises(PeerError, match="crashed with SIGSEGV"):  # and stays dead
            peer.call("value")
    with PeerProcess(PEER, {}) as peer, pytest.raises(PeerError, match="ended with exit code 3"):
        peer.call("exit")


def test_another_interpreter(tmp_path):
    with pytest.raises(PeerError, match="cannot start .*no_python: No such file"):
        PeerProcess(PEER, {}, python=str(tmp_path / "no_python"))
    with PeerProcess(PEER, {"value": 1}, python=sys.executable) as peer:
        assert peer.call("value")[1] == 1
