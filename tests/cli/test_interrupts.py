"""Ctrl-C and SIGTERM: the first signal stops at the next safe point, the second at once."""

import os
import signal
import threading

import pytest

from rts_tf.cli import interrupts
from rts_tf.cli.interrupts import Interrupts
from rts_tf.errors import Interrupted


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_first_signal_stops_at_the_next_safe_point(number):
    said, before = [], signal.getsignal(number)
    caught = Interrupts(lambda: said.append("stopping"))
    with caught.caught():
        caught.check()
        os.kill(os.getpid(), number)
        assert said == ["stopping"]
        with pytest.raises(Interrupted):
            caught.check()
    assert signal.getsignal(number) is before


def test_the_second_signal_stops_at_once():
    caught = Interrupts(lambda: None)
    with pytest.raises(KeyboardInterrupt), caught.caught():
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGINT)


def test_a_signal_in_the_middle_of_a_print_is_no_error():
    def reentrant():
        raise RuntimeError("reentrant call")

    caught = Interrupts(reentrant)
    with caught.caught():
        os.kill(os.getpid(), signal.SIGINT)
    with pytest.raises(Interrupted):
        caught.check()


def test_another_thread_than_the_main_one_works_without_signals():
    errors, before = [], signal.getsignal(signal.SIGINT)

    def work():
        try:
            caught = Interrupts(lambda: None)
            with caught.caught():
                assert signal.getsignal(signal.SIGINT) is before
                caught.check()
        except BaseException as error:
            errors.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert not errors


def test_a_system_without_sigterm(monkeypatch):
    monkeypatch.delattr(interrupts.signal, "SIGTERM")
    caught = Interrupts(lambda: None)
    with pytest.raises(Interrupted), caught.caught():
        os.kill(os.getpid(), signal.SIGINT)
        caught.check()


def test_a_handler_that_python_did_not_install(monkeypatch):
    """signal.signal returns None for it, and does not accept None."""
    calls = []
    monkeypatch.setattr(
        interrupts.signal, "signal", lambda number, handler: calls.append(handler) and None
    )
    with Interrupts(lambda: None).caught():
        pass
    assert calls[2:] == [signal.SIG_DFL, signal.SIG_DFL]
