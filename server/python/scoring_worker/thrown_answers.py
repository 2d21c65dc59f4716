"""Exceptions with which a script chooses its answer: ScoringError, and those of Werkzeug.

Classes are found by their names, because they belong to modules that a script may never import.
"""

from __future__ import annotations

import logging
from typing import Any

from .answers import Answer, answer_of
from .json_values import json_text
from .messages import Start
from .raised import traceback_of

_LOG = logging.getLogger("scoring_server")
_SCORING_ERROR = ("scoring_server", "ScoringError")
_OF_HTTP = frozenset(
    {
        ("werkzeug.exceptions", "HTTPException"),
        ("azureml_inference_server_http.request.errors", "RequestError"),
    }
)


def thrown_answer(raised: BaseException, start: Start) -> Answer | None:
    """The answer that an exception stands for; None for other exceptions.

    Raises Failure: result_not_json, result_not_http.
    """
    names = {(each.__module__, each.__qualname__) for each in type(raised).__mro__}
    if _SCORING_ERROR in names:
        return _of_scoring_error(raised, start)
    return _of_http(raised, start) if names & _OF_HTTP else None


def _of_scoring_error(raised: Any, start: Start) -> Answer:
    if raised.__cause__ is not None:
        _LOG.warning("run() answered %d for a cause: %s", raised.status, traceback_of(raised))
    body = {"message": raised.message} if raised.body is None else raised.body
    return _json_answer(raised.status, body, start)


def _of_http(raised: Any, start: Start) -> Answer | None:
    """Of `abort(404)`, and `abort(response)`."""
    response = getattr(raised, "response", None)
    if response is not None:
        return answer_of(response, start)
    if not isinstance(raised.code, int) or not 400 <= raised.code <= 599:
        return None
    return _json_answer(raised.code, {"message": raised.description}, start)


def _json_answer(status: int, body: object, start: Start) -> Answer:
    text = json_text(body, start["nonFinite"], "body").encode("ascii")
    return Answer(status, text, value=body, is_value=True)
