"""Sends streamed answers, at most a window ahead of the client: server/ipc/README.md."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Callable, Iterator
from typing import TYPE_CHECKING, Any

from .answers import Answer
from .failures import Failure, client_gone
from .host import ToHost
from .kinds import STREAM_WINDOW
from .run import Run

if TYPE_CHECKING:
    import asyncio

_TEXT = "text/plain; charset=utf-8"
_BYTES = "application/octet-stream"
_LINES = "application/x-ndjson"


class StreamSender:
    """Sends the chunks of one answer.

    The head leaves with the first chunk: a generator that fails before it gets its 500.
    """

    def __init__(
        self,
        to_host: ToHost,
        run: Run,
        answer: Answer,
        run_ms: float,
        encode: Callable[[Any], bytes],
        limit: int,
    ) -> None:
        """`encode`: JSON of an item; may raise Failure. `limit`: bytes of a chunk."""
        self._to_host = to_host
        self._answer = answer
        self._run_ms = run_ms
        self._encode = encode
        self._limit = limit
        self._sent = 0
        self.run = run
        self.started = False

    @property
    def full(self) -> bool:
        """The window is full, and the client is still there."""
        return self._sent - self.run.credited > STREAM_WINDOW and not self.run.cancelled

    def check(self) -> None:
        """Raises Failure client_gone where nobody reads the stream any more."""
        if self.run.cancelled:
            raise client_gone()

    def put(self, item: Any) -> None:
        """Sends an item as one chunk. Raises Failure: answer_too_large, those of `encode`."""
        data = self._bytes_of(item)
        if len(data) > self._limit:
            raise Failure(
                "answer_too_large",
                f"the answer has a chunk of more than {self._limit} bytes (ANSWER_LIMIT_BYTES): "
                "stream it in smaller chunks",
            )
        self._begin(item)
        if data:
            self._to_host.chunk(self.run.request.ident, data)
            self._sent += len(data)

    def finish(self) -> None:
        """Ends the stream."""
        self._begin("")
        self.run.answered = True
        self._to_host.end(self.run.request.ident)

    def _begin(self, first: Any) -> None:
        if self.started:
            return
        if self._answer.headers is None:
            self._answer.headers = [("content-type", _content_type(first))]
        self._to_host.stream(self.run.request.ident, self._answer, self._run_ms)
        self.started = True

    def _bytes_of(self, item: Any) -> bytes:
        if isinstance(item, str):
            return item.encode()
        if isinstance(item, bytes | bytearray | memoryview):
            return bytes(item)
        return self._encode(item) + b"\n"


class WholeSender(StreamSender):
    """Gathers the chunks of an answer, for protocols that wrap whole ones."""

    def __init__(
        self,
        to_host: ToHost,
        run: Run,
        answer: Answer,
        run_ms: float,
        encode: Callable[[Any], bytes],
        limit: int,
        wrap: Callable[[Answer], Answer],
    ) -> None:
        """`wrap`: makes the whole answer what the platform reads."""
        super().__init__(to_host, run, answer, run_ms, encode, limit)
        self._wrap = wrap
        self._chunks: list[bytes] = []
        self._kind: str | None = None

    @property
    def full(self) -> bool:
        """False: nothing waits for a client."""
        return False

    def put(self, item: Any) -> None:
        """Keeps a chunk. Raises Failure: answer_too_large, those of `encode`."""
        data = self._bytes_of(item)
        self._sent += len(data)
        if self._sent > self._limit:
            message = f"the answer has more than {self._limit} bytes (ANSWER_LIMIT_BYTES)"
            raise Failure("answer_too_large", message)
        self._kind = self._kind or _content_type(item)
        self._chunks.append(data)

    def finish(self) -> None:
        """Answers with all chunks."""
        answer, body = self._answer, b"".join(self._chunks)
        headers = answer.headers or [("content-type", self._kind or _TEXT)]
        whole = self._wrap(Answer(answer.status, body, headers))
        self.run.answered = True
        self._to_host.reply(self.run.request.ident, whole, self._run_ms)


def send_items(
    sender: StreamSender, items: Iterator[Any], wait: Callable[[StreamSender], None]
) -> None:
    """Sends the items of an iterator, and closes it. `wait`: for credit, or the end.

    Raises what the iterator raises; Failure: client_gone, and those of `StreamSender.put`.
    """
    try:
        sender.check()
        for item in items:
            sender.check()
            sender.put(item)
            while sender.full:
                wait(sender)
            sender.check()
        sender.finish()
    finally:
        close = getattr(items, "close", None)
        if close is not None:
            # The answer is decided: an error at the end of a generator changes nothing.
            with contextlib.suppress(Exception):
                close()


async def send_async(
    sender: StreamSender, items: AsyncIterator[Any] | Iterator[Any], credit: asyncio.Event
) -> None:
    """As `send_items`, in an event loop. `credit`: set for each credit, and at the end."""
    import asyncio

    try:
        sender.check()
        async for item in _each(items):
            sender.check()
            sender.put(item)
            # Others go on, and a cancel is read, even if the iterator never waits.
            await asyncio.sleep(0)
            while sender.full:
                credit.clear()
                await credit.wait()
            sender.check()
        sender.finish()
    finally:
        await _close(items)


async def _each(items: AsyncIterator[Any] | Iterator[Any]) -> AsyncIterator[Any]:
    if isinstance(items, AsyncIterator):
        async for item in items:
            yield item
    else:
        for item in items:
            yield item


async def _close(items: AsyncIterator[Any] | Iterator[Any]) -> None:
    with contextlib.suppress(Exception):
        if isinstance(items, AsyncIterator):
            close = getattr(items, "aclose", None)
            if close is not None:
                await close()
        else:
            close = getattr(items, "close", None)
            if close is not None:
                close()


def _content_type(first: Any) -> str:
    if isinstance(first, str):
        return _TEXT
    return _BYTES if isinstance(first, bytes | bytearray | memoryview) else _LINES
