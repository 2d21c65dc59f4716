"""Frames of the host, and what they ask for."""

from __future__ import annotations

from collections import deque

from . import kinds
from .failures import Failure
from .frames import FrameError, FrameReader, Payload
from .host import ToHost
from .messages import read_credit, read_request
from .run import Run

# The answer of a run that was cancelled before it began.
_NOT_BEGUN = Failure(
    "client_gone",
    "Nobody waited for the answer any more when the run was about to begin.",
)


class Redaction:
    """A `redact` frame."""

    __slots__ = ("ident", "payload")

    def __init__(self, ident: int, payload: bytes) -> None:
        self.ident = ident
        self.payload = payload


class Intake:
    """Keeps the runs that wait or are under way. One thread at a time gives it what it has read.

    A run begins after all frames of a read, so that a cancel behind it is known.
    """

    def __init__(self, to_host: ToHost, frames: FrameReader) -> None:
        self._to_host = to_host
        self._frames = frames
        self._runs: dict[int, Run] = {}
        self._given = 0
        self._waiting: deque[Run | Redaction] = deque()
        # Begun last; None: a redaction.
        self._latest: Run | None = None
        # The host has closed its side of the pipe.
        self.ended = False

    @property
    def has_work(self) -> bool:
        """Something waits to be begun."""
        return bool(self._waiting)

    def take(self, chunk: bytes) -> None:
        """Handles what one read brought; nothing means the end. Raises FrameError."""
        if not chunk:
            self.ended = True
            self._waiting.clear()
            for run in list(self._runs.values()):
                run.cancel()
        for kind, ident, payload in self._frames.feed(chunk):
            if kind == kinds.SCORE:
                self._given += 1
                run = Run(read_request(ident, payload), self._given)
                self._runs[ident] = run
                self._waiting.append(run)
            else:
                self._handle(kind, ident, payload)

    def next(self) -> Run | Redaction | None:
        """What is to begin now; None: nothing waits."""
        while self._waiting:
            work = self._waiting.popleft()
            if isinstance(work, Redaction):
                self._latest = None
                return work
            if not work.dropped:
                work.begun = True
                self._latest = work
                return work
        return None

    def give_back(self) -> None:
        """Gives the runs back that wait, because another one takes long.

        Those alone that the host has sent ahead: whatever was read before the answer of the run.
        """
        if self._latest is None or self._latest.answered:
            return
        runs = [work for work in self._waiting if isinstance(work, Run) and not work.dropped]
        self._waiting = deque(work for work in self._waiting if isinstance(work, Redaction))
        # The host puts each before all others.
        for run in reversed(runs):
            self.done(run)
            self._to_host.returned(run.request.ident)

    def done(self, run: Run) -> None:
        """The run is answered. Any thread may call it."""
        self._runs.pop(run.request.ident, None)

    def _handle(self, kind: int, ident: int, payload: Payload) -> None:
        if kind == kinds.CANCEL:
            self._cancel(ident)
        elif kind == kinds.CREDIT:
            run = self._runs.get(ident)
            if run is not None:
                run.credit(read_credit(payload))
        elif kind == kinds.REDACT:
            self._waiting.append(Redaction(ident, bytes(payload)))
        else:
            raise FrameError(
                f"a frame of kind {kind} and {len(payload)} bytes, which a host does not send now"
            )

    def _cancel(self, ident: int) -> None:
        self._to_host.cancelled(ident)
        run = self._runs.get(ident)
        if run is None:
            return
        if run.begun:
            run.cancel()
        else:
            run.dropped = True
            self.done(run)
            self._to_host.failure(ident, _NOT_BEGUN.code, _NOT_BEGUN.message)
