"""Runs a script's redact() on bodies of requests that are over."""

from __future__ import annotations

import contextlib
import json
import math
import re
import struct
import time
import traceback
from collections.abc import Awaitable, Callable, Coroutine, Generator, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol

from . import kinds

if TYPE_CHECKING:
    # To import it takes 30 ms, and most scripts never need it.
    import asyncio

_LENGTH = struct.Struct("<I")
_IS_TEXT = re.compile("^text/|json|xml|urlencoded", re.IGNORECASE)
# Frames of an error in the log, the last ones. Why: a recursion may have any number.
_MOST_FRAMES = 50
_CHARSET = re.compile(r'^\s*text/.*;\s*charset\s*=\s*"?([^";\s]+)', re.IGNORECASE)

Reason = Literal["hook_failed", "hook_timeout"]


@dataclass(frozen=True)
class RedactInfo:
    """Of which body `redact(body, info)` decides. `id`: the x-request-id of the request."""

    collection: str
    content_type: str
    id: str


@dataclass(frozen=True)
class KeptBody:
    """What a hook has left of a body."""

    content_type: str
    body: bytes


Redacted = KeptBody | Reason | None
"""Result for one body; None: nothing of it may be kept."""

Hook = Callable[[Any, Any], Any]
Buffer = bytes | memoryview


Mark = Callable[[int, int], None]
"""Takes the redactions that have begun, and the id of the one whose hook has the thread, or 0."""


class _Host(Protocol):
    def redacted(self, ident: int, heads: list[Any], bodies: Sequence[bytes]) -> None: ...

    def log(self, message: dict[str, Any]) -> Any: ...


class RedactionHook:
    """Runs the hook. A failure keeps the body from being collected."""

    def __init__(
        self,
        hook: Hook | None,
        to_host: _Host,
        mark: Mark,
        limit_s: float = kinds.REDACT_LIMIT_MS / 1000,
    ) -> None:
        """`limit_s`: for what the hook awaits, for all bodies of a request.

        The host has the same limit for a hook that has the thread.
        """
        self._hook = hook
        self._to_host = to_host
        self._mark = mark
        self._limit_s = limit_s
        self._begun = 0
        self._warned = False
        self._own_loop: asyncio.AbstractEventLoop | None = None

    def redact(self, ident: int, payload: Buffer) -> None:
        """Answers a `redact` frame, on a thread without an event loop."""
        with contextlib.suppress(StopIteration):
            self._answer(ident, payload, on_loop=False).send(None)

    async def redact_on_loop(self, ident: int, payload: Buffer) -> None:
        """Answers a `redact` frame, on the event loop of an async script."""
        await self._answer(ident, payload, on_loop=True)

    async def _answer(self, ident: int, payload: Buffer, on_loop: bool) -> None:
        """Never suspends where no loop runs."""
        self._begun += 1
        ends = time.monotonic() + self._limit_s
        results = [
            await self._one(ident, body, info, ends, on_loop) for info, body in _sides(payload)
        ]
        kept = [result.body for result in results if isinstance(result, KeptBody)]
        self._to_host.redacted(ident, list(map(_head, results)), kept)

    async def _one(
        self, ident: int, body: bytes, info: RedactInfo, ends: float, on_loop: bool
    ) -> Redacted:
        try:
            with self._marked(ident):
                returned: Any = None
                if self._hook is not None:
                    returned = self._hook(_decoded(body, info.content_type), info)
            if hasattr(type(returned), "__await__"):
                steps = _MarkedSteps(returned, lambda: self._marked(ident))
                waiting = _within(steps, ends - time.monotonic())
                returned = await waiting if on_loop else self._finish(waiting)
            with self._marked(ident):
                return _kept(returned, info.content_type)
        except _LateError:
            self._warn_once(f"redact() did not end within {self._limit_s:g} s")
            return "hook_timeout"
        except GeneratorExit:
            raise
        except BaseException as error:
            # The text of an error may quote the body, and lines of the log go further.
            place = _place_of(error)
            self._warn_once(f"redact() failed, the error's text is left out: {place}")
            return "hook_failed"

    def _finish(self, waiting: Coroutine[Any, Any, Any]) -> Any:
        """Awaits on this thread, on a loop that is kept for the next time."""
        import asyncio

        if self._own_loop is None:
            self._own_loop = asyncio.new_event_loop()
        return self._own_loop.run_until_complete(waiting)

    @contextlib.contextmanager
    def _marked(self, ident: int) -> Iterator[None]:
        """Marks the time in which nothing but the script's code runs."""
        self._mark(self._begun, ident)
        try:
            yield
        finally:
            self._mark(self._begun, 0)

    def _warn_once(self, problem: str) -> None:
        if not self._warned:
            text = f"bodies that redact() fails on are not collected (logged once): {problem}"
            self._to_host.log({"level": "warn", "msg": text})
        self._warned = True


class _LateError(Exception):
    """The hook did not end in time."""


class _ExitError(Exception):
    """The hook raised what would end the loop, as sys.exit() does."""


class _MarkedSteps:
    """Awaits something, and marks each step of it: between them other code has the thread."""

    def __init__(
        self,
        awaited: Awaitable[Any],
        marked: Callable[[], contextlib.AbstractContextManager[None]],
    ) -> None:
        self._awaited = awaited
        self._marked = marked

    def __await__(self) -> Generator[Any, Any, Any]:
        steps: Any = self._awaited.__await__()
        thrown: BaseException | None = None
        while True:
            try:
                with self._marked():
                    yielded = next(steps) if thrown is None else steps.throw(thrown)
            except StopIteration as end:
                return end.value
            try:
                yield yielded
                thrown = None
            except BaseException as raised:
                thrown = raised


async def _within(steps: _MarkedSteps, seconds: float) -> Any:
    """Raises _LateError after this time. An error of the steps is their own, also TimeoutError."""
    import asyncio

    async def awaited() -> Any:
        try:
            return await steps
        except (Exception, asyncio.CancelledError, GeneratorExit):
            raise
        except BaseException as leaving:
            raise _ExitError from leaving

    task = asyncio.ensure_future(awaited())
    done, _ = await asyncio.wait([task], timeout=max(seconds, 0))
    if not done:
        task.cancel()
        task.add_done_callback(_look_at)
        raise _LateError
    return task.result()


def _look_at(task: asyncio.Task[Any]) -> None:
    """Keeps asyncio from logging the text of an error, which may quote the body."""
    if not task.cancelled():
        task.exception()


def _sides(payload: Buffer) -> Iterator[tuple[RedactInfo, bytes]]:
    """Reads a `redact` frame: server/ipc/redaction.ts."""
    (length,) = _LENGTH.unpack_from(payload)
    at = _LENGTH.size + length
    head = json.loads(bytes(payload[_LENGTH.size : at]))
    for side in head["sides"]:
        end = at + side["bytes"]
        info = RedactInfo(side["collection"], side["contentType"], head["id"])
        yield info, bytes(payload[at:end])
        at = end


def _head(result: Redacted) -> Any:
    """Redaction of server/ipc/redaction.ts."""
    if isinstance(result, KeptBody):
        return {"contentType": result.content_type, "bytes": len(result.body)}
    return result


def _decoded(body: bytes, content_type: str) -> Any:
    """Parsed JSON, also with bare NaN; text where the content type is text; else bytes."""
    text = _text_of(body, content_type)
    if text is None:
        return body
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text if _IS_TEXT.search(content_type) else body


def _text_of(body: bytes, content_type: str) -> str | None:
    """None: the bytes are no text. A stream may have ended within a character."""
    charset = _CHARSET.match(content_type)
    try:
        if charset is not None and charset[1].lower() not in ("utf-8", "utf8"):
            return body.decode(charset[1])
        return body.decode("utf-8-sig")
    except LookupError:
        return None
    except UnicodeDecodeError as error:
        is_cut = error.reason == "unexpected end of data"
        return body[: error.start].decode("utf-8-sig") if is_cut else None


def _kept(redacted: Any, content_type: str) -> Redacted:
    """What a hook has left. Raises TypeError, ValueError for what JSON has no form for."""
    if redacted is None:
        return None
    if isinstance(redacted, (bytes, bytearray, memoryview)):
        kept = KeptBody(content_type, bytes(redacted))
    else:
        # Halves of characters stand in texts only, and are escaped there.
        body = _json_text(redacted).encode("utf-8", "backslashreplace")
        kept = KeptBody("application/json", body)
    if len(kept.body) > kinds.MOST_COLLECTED_BYTES:
        expected = f"expected at most {kinds.MOST_COLLECTED_BYTES} bytes"
        raise ValueError(f"{expected}, got a body of {len(kept.body)}")
    return kept


def _json_text(value: Any) -> str:
    """JSON, with null for NaN and the infinities. Raises TypeError, ValueError."""
    dumps = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode
    try:
        return dumps(value)
    except ValueError:
        return dumps(_finite(value))


def _finite(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    return [_finite(item) for item in value] if isinstance(value, (list, tuple)) else value


def _place_of(error: BaseException) -> str:
    """The name of an error and its frames, without its text."""
    frames = "".join(
        f"\n    at {frame.name} ({frame.filename}:{frame.lineno})"
        for frame in traceback.extract_tb(error.__traceback__, limit=-_MOST_FRAMES)
        if frame.filename != __file__
    )
    return f"{type(error).__name__}{frames}"
