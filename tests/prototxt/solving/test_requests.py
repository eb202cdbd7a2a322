"""Signals as requests."""

from __future__ import annotations

import os
import signal

from recaffe.prototxt.solving.requests import Request, SignalRequests


def test_signals_are_taken_one_at_a_time() -> None:
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGHUP)]
    with SignalRequests() as requests:
        assert requests.take() is Request.NONE
        for number in (signal.SIGHUP, signal.SIGINT, signal.SIGINT):
            os.kill(os.getpid(), number)
        assert [requests.take() for _ in range(3)] == [Request.STOP, Request.SNAPSHOT, Request.NONE]
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGHUP)] == before


def test_effects_may_be_others() -> None:
    with SignalRequests({signal.SIGUSR1: Request.SNAPSHOT}) as requests:
        os.kill(os.getpid(), signal.SIGUSR1)
        assert requests.take() is Request.SNAPSHOT
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
