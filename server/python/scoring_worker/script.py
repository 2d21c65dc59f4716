"""The entry script: how its run() is called, and what its results and exceptions become."""

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
from .inputs import Reader, arguments_of, members_reader, request_reader, text_reader
from .kinds import PROTOCOL_OPEN_INFERENCE, PROTOCOL_OPEN_INFERENCE_GRPC
from .messages import Request, Start
from .raised import traceback_of
from .raw_http import raw_request_maker
from .refusals import refusal_of
from .schemas import declares_schema, innermost, schemas_of
from .script_exports import ScriptExports
from .signature import HEADERS_PARAMETER, is_async, signature_of
from .thrown_answers import thrown_answer

_LOG = logging.getLogger("scoring_server")
_OPEN_INFERENCE = (PROTOCOL_OPEN_INFERENCE, PROTOCOL_OPEN_INFERENCE_GRPC)


class Script:
    """An entry script that was imported."""

    def __init__(self, start: Start, module: ModuleType) -> None:
        """Reads the names of the script. Raises Failure script_broken."""
        self.path: str = start["entryScript"]
        self._start = start
        self._exports = ScriptExports(self.path, module)
        self._run = self._exports.run
        self._author = innermost(self._run)
        # run() is a coroutine function or an async generator function.
        self.is_async = is_async(self._run)
        # What the script says of its run() calls at a time; None: nothing.
        self.concurrency = self._exports.concurrency()
        self.close = self._exports.close()
        self.redact = self._exports.redact()
        self._signature = signature_of(self._run)
        self._declares = declares_schema(self._run)
        self._make_raw = raw_request_maker()
        self._read = self._reader()
        self._flask = FlaskContext()
        self._warned = False

    def init(self) -> Any:
        """Calls init(); what it returns may be awaitable."""
        return self._exports.init()

    def bind(self, request: Request) -> Callable[[], Any]:
        """Reads the input. Returns the call of run(), which may be awaitable or an iterator.

        Raises Failure for an input that the client has to change.
        """
        if request.protocol in _OPEN_INFERENCE:
            raise Failure(
                "model_unknown",
                "Entry scripts in Python answer on /score only: send the request there.",
            )
        return self._call(request, self._read(request))

    @property
    def sample(self) -> Any:
        """Data for the deep check; None: there is none. init() may make it."""
        return self._exports.sample

    def bind_sample(self, request: Request) -> Callable[[], Any]:
        """The call of run() with the sample, for the deep check, whose request has no body."""
        # Conversions of inference_schema change what they get.
        sample = copy.deepcopy(self.sample)
        if self._make_raw is not None and isinstance(sample, (str, bytes)):
            request.body = sample.encode() if isinstance(sample, str) else sample
            return self.bind(request)
        by_name = self._declares and isinstance(sample, dict)
        arguments = (
            arguments_of(self._signature, sample) if by_name else {self._signature.first: sample}
        )
        headers: dict[str, Any] = {HEADERS_PARAMETER: {}} if self._signature.takes_headers else {}
        return self._call(request, {**arguments, **headers})

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
        raw = self._make_raw is not None
        return {"rawHttp": raw, "parsesJson": self._declares, **declared}

    def _call(self, request: Request, arguments: dict[str, Any]) -> Callable[[], Any]:
        run = self._run if self.is_async else self._flask.around(self._run, request)
        return partial(run, **arguments)

    def _reader(self) -> Reader:
        """The way to call run(), which Azure's server chooses so. Raises Failure script_broken."""
        if self._make_raw is not None and self._declares:
            raise Failure(
                "script_broken", "run() cannot be decorated with both @rawhttp and @input_schema"
            )
        if self._make_raw is not None:
            return request_reader(self._signature, self._make_raw)
        if self._declares:
            return members_reader(self._signature, self._start["jsonNan"])
        return text_reader(self._signature)


def load(start: Start) -> Script:
    """Imports the script. Raises Failure: script_broken."""
    return Script(start, import_script(start))
