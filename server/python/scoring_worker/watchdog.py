"""Ends the worker and its children when its host was killed."""

from __future__ import annotations

import os
import select
import signal
import time

# Between two looks where the kernel has no pidfd_open (before Linux 5.3).
_LOOK_SECONDS = 1.0


def start_watchdog() -> None:
    """Starts a process that kills this process's group when the parent of this one has ended.

    Why a process: a thread gets no turn while C code holds the interpreter's lock, and a signal
    at the parent's death (prctl) ends this process alone. Forks twice, so that a script which
    waits for its children never meets it. Must run before any thread starts. Raises OSError.
    """
    host, worker = os.getppid(), os.getpid()
    child = os.fork()
    if child == 0:
        try:
            if os.fork() == 0:
                _watch(host, worker)
        finally:
            os._exit(0)
    os.waitpid(child, 0)


def _watch(host: int, worker: int) -> None:
    os.closerange(0, 16)
    for each in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(each, signal.SIG_IGN)
    try:
        _wait_for_one(host, worker)
    finally:
        # Of the worker's group, and of no other: a worker without a host may lead none.
        os.killpg(worker, signal.SIGKILL)


def _wait_for_one(*pids: int) -> None:
    try:
        fds = [os.pidfd_open(pid) for pid in pids]
    except ProcessLookupError:
        return
    except (AttributeError, OSError):
        while all(_is_there(pid) for pid in pids):
            time.sleep(_LOOK_SECONDS)
        return
    poll = select.poll()
    for fd in fds:
        poll.register(fd, select.POLLIN)
    poll.poll()


def _is_there(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True
