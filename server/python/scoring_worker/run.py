"""A request that the host has given to this worker."""

from __future__ import annotations

from collections.abc import Callable

from .messages import Request


class Run:
    """What the thread that reads the pipe and the thread that runs the script share of a request.

    The reader alone calls `credit` and `cancel`.
    """

    __slots__ = (
        "answered",
        "begun",
        "cancelled",
        "credited",
        "dropped",
        "order",
        "request",
        "stop",
        "wake",
    )

    def __init__(self, request: Request, order: int) -> None:
        self.request = request
        # In which the worker got its requests; the first is 1.
        self.order = order
        self.begun = False
        # Its answer, or the end of its stream, may have left.
        self.answered = False
        # It was cancelled before it began, and is answered.
        self.dropped = False
        # Nobody waits for its answer any more.
        self.cancelled = False
        # Bytes of its stream that the client's side has taken.
        self.credited = 0
        # Ends a wait for credit.
        self.wake: Callable[[], object] | None = None
        # Cancels what is awaited.
        self.stop: Callable[[], object] | None = None

    def credit(self, taken: int) -> None:
        """The client's side has taken bytes of the stream."""
        self.credited += taken
        _call(self.wake)

    def cancel(self) -> None:
        """Ends what can be ended: what is awaited, and a stream."""
        self.cancelled = True
        _call(self.stop)
        _call(self.wake)


def _call(function: Callable[[], object] | None) -> None:
    # As an argument it stays what it is, while the other thread takes it away.
    if function is not None:
        function()
