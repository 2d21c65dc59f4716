"""`{"instances": [...]}` to `{"predictions": [...]}`: KServe V1 and Vertex AI."""

from __future__ import annotations

from .answers import Answer
from .failures import Failure
from .messages import Request, Start


def unwrap(request: Request, start: Start) -> None:
    """Makes the request what a request on /score is. Raises Failure for what it cannot read."""


def wrap(request: Request, answer: Answer, start: Start) -> Answer:
    """Makes the answer of a whole body what the platform reads."""
    return answer


def failed(request: Request, failure: Failure, start: Start) -> Answer | None:
    """Makes a failure an answer; None: the host answers it."""
    return None
