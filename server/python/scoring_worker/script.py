"""The entry script: how it is loaded, and how its run() is called."""

from __future__ import annotations

import importlib.util
import inspect
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from .answers import Answer, answer_of
from .failures import Failure
from .messages import Request, Start
from .raised import traceback_of


class Script:
    """An entry script that was imported."""

    def __init__(self, start: Start, module: Any) -> None:
        self.path: str = start["entryScript"]
        self._start = start
        self._module = module
        # run() is a coroutine function or an async generator function.
        self.is_async = inspect.iscoroutinefunction(module.run) or inspect.isasyncgenfunction(
            module.run
        )
        # What the script says of its run() calls at a time; None: nothing.
        self.concurrency: int | None = getattr(module, "concurrency", None)
        self.close: Callable[[], Any] | None = getattr(module, "close", None)
        self.redact: Callable[[Any, Any], Any] | None = None
        # Data for the deep check; None: there is none.
        self.sample: Any = getattr(module, "sample", None)

    def init(self) -> Any:
        """Calls init(); what it returns may be awaitable."""
        return self._module.init()

    def bind(self, request: Request) -> Callable[[], Any]:
        """Reads the input. Returns the call of run(), which may be awaitable or an iterator.

        Raises Failure for an input that the client has to change.
        """
        raw_data = request.body.decode()
        return lambda: self._module.run(raw_data)

    def bind_sample(self) -> Callable[[], Any]:
        """The call of run() with the sample, for the deep check."""
        return lambda: self._module.run(self.sample)

    def answer_of(self, result: Any) -> Answer:
        """As answers.answer_of."""
        return answer_of(result, self._start)

    def text_of(self, raised: BaseException) -> str:
        """The traceback of an exception for the log."""
        return traceback_of(raised)

    def failure_of(self, raised: BaseException) -> Failure | Answer:
        """What a call of run() that raised is answered with."""
        return Failure("run_failed", self.text_of(raised))

    def ready(self) -> dict[str, Any]:
        """Members of ReadyMessage: rawHttp, parsesJson, schemas."""
        return {"rawHttp": False, "parsesJson": False}


def load(start: Start) -> Script:
    """Imports the script. Raises Failure: script_broken."""
    path = start["entryScript"]
    sys.path.extend([*start["importPath"], str(Path(path).parent)])
    spec = importlib.util.spec_from_file_location("entry_module", path)
    if spec is None or spec.loader is None:
        raise Failure("script_broken", f"The entry script {path} cannot be imported.")
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except BaseException as raised:
        raise Failure(
            "script_broken",
            "Failed to import user script because it raised an unhandled exception: "
            + traceback_of(raised),
        ) from None
    return Script(start, module)
