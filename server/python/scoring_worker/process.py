"""What the worker sets in its own process before the script is loaded."""

from __future__ import annotations

import contextlib
import faulthandler
import os
import signal
import sys
import threading
from collections.abc import Callable
from types import FrameType

_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


def ignore_signals() -> None:
    """Ignores the signals that end processes; init() of a script may set handlers.

    Why: Ctrl-C reaches the whole process group, and platforms signal every process. The host
    drains, and ends its workers itself. Why not SIG_IGN: children would inherit it.
    """
    for each in _SIGNALS:
        signal.signal(each, _ignore)


def _ignore(_: int, __: FrameType | None) -> None:
    """Does nothing."""


def show_crashes() -> None:
    """Lets Python write the traceback of a crash in C code to the real stderr."""
    if sys.__stderr__ is not None:
        with contextlib.suppress(OSError, ValueError):
            faulthandler.enable(sys.__stderr__)
    if sys.__stdout__ is not None:
        # What is written past the log must not be lost when the process ends.
        sys.__stdout__.reconfigure(line_buffering=True)


def keep_from_children(fds: tuple[int, ...], forked: Callable[[], None]) -> None:
    """Keeps the pipe from processes that the script starts, and forks.

    `forked`: called in a child that was forked.
    """
    for fd in fds:
        with contextlib.suppress(OSError):
            os.set_inheritable(fd, False)

    blocked_before = threading.local()

    def before() -> None:
        # A child that is ended at once waits with that until its handlers are its own.
        blocked_before.mask = signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)

    def after() -> None:
        signal.pthread_sigmask(signal.SIG_SETMASK, blocked_before.mask)

    def in_child() -> None:
        forked()
        for fd in fds:
            with contextlib.suppress(OSError):
                os.close(fd)
        for each in _SIGNALS:
            if signal.getsignal(each) is _ignore:
                default = signal.default_int_handler if each is signal.SIGINT else signal.SIG_DFL
                signal.signal(each, default)
        after()

    os.register_at_fork(before=before, after_in_parent=after, after_in_child=in_child)
