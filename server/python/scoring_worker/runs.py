"""Runs the script on requests, and sends their answers: one for each."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable, Sequence
from functools import partial
from typing import Any

from .answers import Answer
from .context import current_request
from .ending import Ending
from .envelopes import ENVELOPES
from .failures import Failure, client_gone
from .formless import form_of
from .host import RAISED, ToHost
from .kinds import PROTOCOL_SAMPLE
from .log_streams import ScriptStream
from .loops import ThreadLoops, is_awaitable, is_cancel
from .messages import Request, Start
from .raised import traceback_of
from .run import Run
from .script import Script
from .streams import StreamSender, WholeSender, send_async, send_items

Wait = Callable[[StreamSender], None]
"""Waits until the client has taken bytes of a stream, or has left."""


class Runner:
    """Runs the script on one request after the other, or on many at a time."""

    def __init__(
        self,
        script: Script,
        start: Start,
        to_host: ToHost,
        streams: Sequence[ScriptStream],
        loops: ThreadLoops,
        ending: Ending,
    ) -> None:
        self._script = script
        self._start = start
        self._tracing: bool = start["tracing"]
        self._limit: int = start["answerLimitBytes"]
        self._to_host = to_host
        self._streams = streams
        self._loops = loops
        self._ending = ending

    def perform(self, run: Run, wait: Wait) -> None:
        """Runs on this thread. Settles every outcome itself."""
        request = run.request
        current_request.set(request)
        sender = None
        try:
            call = self._bind(request)
            began = time.perf_counter()
            try:
                result = call()
                if is_awaitable(result):
                    result = self._loops.finish(result, run)
            finally:
                run_ms = self._timed(request, began)
            answer = self._wrapped(request, self._script.answer_of(result))
            if answer.chunks is None:
                run.answered = True
                self._to_host.reply(request.ident, answer, run_ms)
            else:
                sender = self._sender(run, answer, run_ms)
                self._send(sender, answer.chunks, wait)
        except BaseException as raised:
            self._fail(run, raised, sender)
        finally:
            self._over(request)
            current_request.set(None)

    async def perform_async(self, run: Run) -> None:
        """Runs in an event loop. Settles every outcome itself."""
        request = run.request
        current_request.set(request)
        sender = None
        try:
            call = self._bind(request)
            began = time.perf_counter()
            try:
                result = call()
                if is_awaitable(result):
                    result = await result
            finally:
                run_ms = self._timed(request, began)
            answer = self._wrapped(request, self._script.answer_of(result))
            if answer.chunks is None:
                self._to_host.reply(request.ident, answer, run_ms)
            else:
                sender = self._sender(run, answer, run_ms)
                await self._send_async(sender, answer.chunks)
        except BaseException as raised:
            self._fail(run, raised, sender)
        finally:
            self._over(request)

    def _wrapped(self, request: Request, answer: Answer) -> Answer:
        envelope = ENVELOPES.get(request.protocol)
        whole = envelope is not None and answer.chunks is None
        return envelope.wrap(request, answer, self._start) if envelope and whole else answer

    def _bind(self, request: Request) -> Callable[[], Any]:
        envelope = ENVELOPES.get(request.protocol)
        if envelope is not None:
            envelope.unwrap(request, self._start)
        if request.protocol != PROTOCOL_SAMPLE:
            return self._script.bind(request)
        if self._script.sample is None:
            raise Failure("internal", "this worker has no sample for the deep check")
        return self._script.bind_sample(request)

    def _timed(self, request: Request, began: float) -> float:
        """Milliseconds since run() began. Those of a traced request are sent before its answer."""
        ms = (time.perf_counter() - began) * 1000
        if self._tracing and request.sampled:
            at = time.time() * 1000 - ms
            self._to_host.times(request.ident, {"at": at, "ms": ms, "inferences": []})
        return ms

    def _sender(self, run: Run, answer: Answer, run_ms: float) -> StreamSender:
        def encode(item: Any) -> bytes:
            answer = self._script.answer_of(item)
            if answer.chunks is None:
                return answer.body
            what, _ = form_of(item)
            message = f"run() streamed {what} as an item: `yield from` it streams its items"
            raise Failure("result_not_json", message)

        settings = (self._to_host, run, answer, run_ms, encode, self._limit)
        envelope = ENVELOPES.get(run.request.protocol)
        if envelope is None or not envelope.whole:
            return StreamSender(*settings)
        return WholeSender(*settings, partial(self._wrapped, run.request))

    def _send(self, sender: StreamSender, chunks: Any, wait: Wait) -> None:
        if isinstance(chunks, AsyncIterator):
            loop = self._loops.current()
            sending = self._send_async(sender, chunks, loop.call_soon_threadsafe)
            self._loops.finish(sending, sender.run)
        else:
            send_items(sender, chunks, wait)

    async def _send_async(
        self, sender: StreamSender, chunks: Any, call: Callable[..., object] | None = None
    ) -> None:
        """`call`: calls from the thread that reads the pipe; None: that is this one."""
        import asyncio

        credit = asyncio.Event()
        sender.run.wake = credit.set if call is None else lambda: call(credit.set)
        try:
            await send_async(sender, chunks, credit)
        finally:
            sender.run.wake = None

    def _fail(self, run: Run, raised: BaseException, sender: StreamSender | None) -> None:
        """Answers with what was raised."""
        try:
            if isinstance(raised, SystemExit | KeyboardInterrupt):
                self._end_lines()
                self._ending.exits(raised)
            self._answer_failure(run, raised, sender)
        except BaseException as broken:
            # The host then answers in place of this process.
            self._ending.lost(f"a request could not be answered: {traceback_of(broken)}")

    def _answer_failure(self, run: Run, raised: BaseException, sender: StreamSender | None) -> None:
        ident = run.request.ident
        failed = self._failure_of(run, raised)
        envelope = ENVELOPES.get(run.request.protocol)
        if envelope is not None and isinstance(failed, Failure):
            failed = envelope.failed(run.request, failed, self._start) or failed
        elif envelope is not None and isinstance(failed, Answer) and failed.chunks is None:
            failed = envelope.refused(run.request, failed, self._start)
        run.answered = True
        if sender is not None and sender.started:
            if not isinstance(failed, Failure):
                failed = Failure("run_failed", self._script.text_of(raised))
            self._to_host.broken(ident, failed.code, failed.message)
        elif isinstance(failed, Failure):
            self._to_host.failure(ident, failed.code, failed.message)
        else:
            self._to_host.reply(ident, failed, RAISED)

    def _failure_of(self, run: Run, raised: BaseException) -> Failure | Answer:
        if isinstance(raised, Failure):
            return raised
        if run.cancelled and is_cancel(raised):
            return client_gone()
        try:
            return self._script.failure_of(raised)
        except Exception as broken:
            # What a script raises may raise itself when it is read; memory may be used up.
            return Failure("run_failed", f"{type(raised).__name__} ({type(broken).__name__})")

    def _over(self, request: Request) -> None:
        if request.unfinished:
            self._end_lines()
        request.over = True
        # Whoever keeps the request, a context say, does not keep its body.
        request.body = b""
        self._ending.end_child()

    def _end_lines(self) -> None:
        for stream in self._streams:
            stream.end_line()
