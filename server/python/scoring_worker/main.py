"""The worker process: loads the script, then runs what the host sends."""

from __future__ import annotations

import json
import os
import socket
import sys
import time
import traceback
from collections.abc import Iterator

from . import kinds
from .context import current_request
from .failures import Failure
from .frames import FrameReader
from .host import ToHost
from .messages import Start, read_request
from .script import Script, load

_HOST_FD = 3


def main() -> None:
    """Runs until the host closes its side of the pipe."""
    pipe = socket.socket(fileno=_HOST_FD)
    to_host = ToHost(pipe)
    frames = _frames(pipe)
    start: Start = json.loads(next(frames)[2])
    try:
        script = load(start)
        script.init()
    except Failure as failure:
        to_host.start_failed(failure.code, failure.message)
        os._exit(3)
    except BaseException:
        to_host.start_failed("init_failed", traceback.format_exc())
        os._exit(3)
    to_host.ready(
        {
            **script.ready(),
            "redacts": False,
            "closes": False,
            "concurrency": 1,
            "models": [],
            "runtime": f"Python {sys.version.split()[0]} ({sys.executable})",
        }
    )
    for kind, ident, payload in frames:
        if kind == kinds.SCORE:
            _score(script, start, to_host, ident, payload)
        elif kind == kinds.CANCEL:
            to_host.cancelled(ident)


def _frames(pipe: socket.socket) -> Iterator[tuple[int, int, bytes]]:
    reader = FrameReader()
    while chunk := pipe.recv(65536):
        yield from reader.feed(chunk)


def _score(script: Script, start: Start, to_host: ToHost, ident: int, payload: bytes) -> None:
    request = read_request(ident, payload)
    current_request.set(request)
    try:
        call = script.bind(request)
        began = time.perf_counter()
        result = call()
        run_ms = (time.perf_counter() - began) * 1000
        to_host.reply(ident, script.answer_of(result), run_ms)
    except Failure as failure:
        to_host.failure(ident, failure.code, failure.message)
    except BaseException as raised:
        failed = script.failure_of(raised)
        if isinstance(failed, Failure):
            to_host.failure(ident, failed.code, failed.message)
        else:
            to_host.reply(ident, failed, -1.0)
