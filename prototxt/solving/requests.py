"""What a user asks of a solver while it runs, by signals: a snapshot, or to stop."""

from __future__ import annotations

import signal
from collections.abc import Mapping
from enum import Enum
from types import FrameType, TracebackType
from typing import Any


class Request(Enum):
    """What a solver does between two iterations, or two forwards of a test."""

    NONE = "none"
    SNAPSHOT = "snapshot"
    STOP = "stop"


class SignalRequests:
    """Turns signals into requests while it is entered: SIGINT (Ctrl-C) asks to stop, SIGHUP for a snapshot.

        with SignalRequests() as requests:
            solver.requests = requests.take
            solver.solve()

    As Caffe's `-sigint_effect` and `-sighup_effect`, `effects` says what each signal asks for. Enter it in the main
    thread; what was there before comes back at the end.
    """

    def __init__(self, effects: Mapping[signal.Signals, Request] | None = None) -> None:
        self.effects = effects or {signal.SIGINT: Request.STOP, signal.SIGHUP: Request.SNAPSHOT}
        self._before: dict[signal.Signals, Any] = {}
        self._asked: set[Request] = set()

    def __enter__(self) -> SignalRequests:
        self._before = {number: signal.signal(number, self._note) for number in self.effects}
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def take(self) -> Request:
        """What was asked since the last time, one at a time: to stop comes first."""
        for request in (Request.STOP, Request.SNAPSHOT):
            if request in self._asked:
                self._asked.discard(request)
                return request
        return Request.NONE

    def _note(self, number: int, frame: FrameType | None) -> None:
        self._asked.add(self.effects[signal.Signals(number)])
