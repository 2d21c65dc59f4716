"""The entry script: how its run() is called, and what its exceptions are answered with."""

from __future__ import annotations

import copy
import logging
from collections.abc import Callable
from functools import partial
from types import ModuleType
from typing import Any

from .answers import Answer, answer_of, is_encoded_json
from .failures import Failure
from .flask_context import FlaskContext
from .import_advice import import_advice
from .import_script import author_folders, import_script
from .inputs import members_reader, request_reader, text_reader
from .messages import Request, Start
from .raised import traceback_of
from .raw_http import raw_request_maker
from .refusals import refusal_of
from .schemas import declares_schema, innermost, schemas_of
from .signature import is_async, signature_of, takes_arguments
from .thrown_answers import thrown_answer

_LOG = logging.getLogger("scoring_server")
_OPEN_INFERENCE = (1, 2)


def _anything(_: Any) -> bool:
    return True


class Script:
    """An entry script that was imported."""

    def __init__(self, start: Start, module: ModuleType) -> None:
        """Reads the names of the script. Raises Failure script_broken."""
        self.path: str = start["entryScript"]
        self._start = start
        self._module = module
        self._init = self._required("init")
        self._required("run")
        # Azure's SDK generates scripts around a script, whose run() gets wrong arguments.
        driven: Any = getattr(module, "driver_module", None)
        inner = isinstance(driven, ModuleType) and hasattr(driven, "run")
        self._run: Callable[..., Any] = driven.run if inner else module.run
        self._names: tuple[Any, ...] = (driven, module) if inner else (module,)
        self._author = innermost(self._run)
        # run() is a coroutine function or an async generator function.
        self.is_async = is_async(self._run)
        # What the script says of its run() calls at a time; None: nothing.
        self.concurrency = self._own_concurrency()
        # A name may mean something else in a script that was written for Azure's server.
        self.close: Callable[[], Any] | None = self._named("close", takes_arguments(0))
        self.redact: Callable[[Any, Any], Any] | None = self._own_redact()
        self._warned = False
        self._flask = FlaskContext()
        self._choose_reader()

    def init(self) -> Any:
        """Calls init(); what it returns may be awaitable."""
        return self._init()

    def bind(self, request: Request) -> Callable[[], Any]:
        """Reads the input. Returns the call of run(), which may be awaitable or an iterator.

        Raises Failure for an input that the client has to change.
        """
        if request.protocol in _OPEN_INFERENCE:
            raise Failure(
                "model_unknown",
                "Entry scripts in Python answer on /score only: send the request there.",
            )
        run = self._run if self.is_async else self._flask.around(self._run, request)
        return partial(run, **self._read(request))

    @property
    def sample(self) -> Any:
        """Data for the deep check; None: there is none. init() may make it."""
        return self._named("sample")

    def bind_sample(self) -> Callable[[], Any]:
        """The call of run() with the sample, for the deep check."""
        # Conversions of inference_schema change what they get.
        sample = copy.deepcopy(self.sample)
        if self._declares and isinstance(sample, dict):
            return partial(self._run, **sample)
        return partial(self._run, **{self._signature.first: sample})

    def answer_of(self, result: Any) -> Answer:
        """As answers.answer_of; warns once of a text that is JSON itself."""
        if not self._warned and isinstance(result, str) and is_encoded_json(result):
            self._warned = True
            _LOG.warning(
                "run() returned a string that is itself JSON: it is answered as a JSON string. "
                "Return the object, or an AMLResponse with a Content-Type"
            )
        return answer_of(result, self._start)

    def failure_of(self, raised: BaseException) -> Failure | Answer:
        """What a call of run() that raised is answered with."""
        if isinstance(raised, Failure):
            return raised
        if self._declares:
            refusal = refusal_of(raised, self._author)
            if refusal is not None:
                return refusal
        try:
            answer = thrown_answer(raised, self._start)
        except Failure as failure:
            return failure
        return answer or Failure("run_failed", self.text_of(raised))

    def text_of(self, raised: BaseException) -> str:
        """The traceback of an exception for the log, and what to do about a failed import."""
        advice = import_advice(raised, author_folders(self._start))
        return "\n".join(filter(None, (traceback_of(raised), advice)))

    def ready(self) -> dict[str, Any]:
        """Members of ReadyMessage: rawHttp, parsesJson, schemas, example."""
        declared = schemas_of(self._run) if self._declares else {}
        return {"rawHttp": self._raw, "parsesJson": self._declares, **declared}

    def _choose_reader(self) -> None:
        """Chooses the way to call run(), as Azure's server does. Raises Failure script_broken."""
        self._signature = signature_of(self._run)
        self._declares = declares_schema(self._run)
        make = raw_request_maker()
        self._raw = make is not None
        if make is not None and self._declares:
            raise Failure(
                "script_broken", "run() cannot be decorated with both @rawhttp and @input_schema"
            )
        if make is not None:
            self._read = request_reader(self._signature, make)
        elif self._declares:
            self._read = members_reader(self._signature, self._start["jsonNan"])
        else:
            self._read = text_reader(self._signature)

    def _required(self, name: str) -> Callable[..., Any]:
        where = f"User script at {self.path}"
        if not hasattr(self._module, name):
            defined = [each for each in vars(self._module) if not each.startswith("_")]
            shown = ", ".join(defined[:20]) or "nothing"
            raise Failure(
                "script_broken",
                f"{where} does not have a {name}() function defined. It defines: {shown}.",
            )
        function: Any = getattr(self._module, name)
        if not callable(function):
            kind = type(function).__name__
            raise Failure(
                "script_broken", f"{where} has {name} of type {kind}: expected a function."
            )
        return function  # type: ignore[no-any-return]

    def _own_concurrency(self) -> int | None:
        value = self._named("concurrency")
        if isinstance(value, int) and not isinstance(value, bool) and value >= 1:
            return value
        if value is not None and not callable(value) and not isinstance(value, ModuleType):
            _LOG.warning(
                "User script at %s has concurrency %.100r, which is ignored: "
                "expected a whole number of at least 1",
                self.path,
                value,
            )
        return None

    def _own_redact(self) -> Any:
        """The hook. Any other `redact` stops the start: bodies must not be kept without it."""
        redact = self._named("redact")
        if redact is None or takes_arguments(2)(redact):
            return redact
        kind = type(redact).__name__
        raise Failure(
            "script_broken",
            f"User script at {self.path} has redact of type {kind}: expected a function "
            "redact(body, info) that returns what may be collected.",
        )

    def _named(self, name: str, fits: Callable[[Any], bool] = _anything) -> Any:
        """A value of the script by its name; None: there is none that fits."""
        values = (getattr(each, name, None) for each in self._names)
        return next((each for each in values if each is not None and fits(each)), None)


def load(start: Start) -> Script:
    """Imports the script. Raises Failure: script_broken."""
    return Script(start, import_script(start))
