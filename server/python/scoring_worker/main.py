"""The worker process: loads the script, then runs what the host sends."""

from __future__ import annotations

import importlib.util
import json
import os
import socket
import sys
import time
import traceback
from typing import Any, Iterator

from . import kinds
from .frames import FrameReader
from .host import ToHost
from .messages import read_request

_HOST_FD = 3


def main() -> None:
    """Runs until the host closes its side of the pipe."""
    pipe = socket.socket(fileno=_HOST_FD)
    to_host = ToHost(pipe)
    frames = _frames(pipe)
    _, _, payload = next(frames)
    start = json.loads(payload)
    script = _load(start, to_host)
    to_host.ready(
        {
            "rawHttp": False,
            "parsesJson": False,
            "redacts": False,
            "closes": False,
            "concurrency": 1,
            "models": [],
            "runtime": f"Python {sys.version.split()[0]} ({sys.executable})",
        }
    )
    for kind, ident, payload in frames:
        if kind == kinds.SCORE:
            _score(script, to_host, ident, payload)
        elif kind == kinds.CANCEL:
            to_host.cancelled(ident)


def _frames(pipe: socket.socket) -> Iterator[tuple[int, int, bytes]]:
    reader = FrameReader()
    while chunk := pipe.recv(65536):
        yield from reader.feed(chunk)


def _load(start: dict[str, Any], to_host: ToHost) -> Any:
    sys.path.extend(start["importPath"])
    spec = importlib.util.spec_from_file_location("entry_module", start["entryScript"])
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
        module.init()
    except BaseException:
        to_host.start_failed("init_failed", traceback.format_exc())
        os._exit(3)
    return module


def _score(script: Any, to_host: ToHost, ident: int, payload: bytes) -> None:
    request = read_request(ident, payload)
    began = time.perf_counter()
    try:
        result = script.run(request.body.decode())
        ms = (time.perf_counter() - began) * 1000
        to_host.reply(ident, 200, ms, None, json.dumps(result).encode())
    except BaseException:
        to_host.failure(ident, "run_failed", traceback.format_exc())
