"""How requests and answers of platforms are wrapped: docs/platforms.md."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from . import azure_function, instances, invocations, kinds
from .answers import Answer
from .failures import Failure
from .messages import Request, Start


def _as_it_is(_request: Request, answer: Answer, _start: Start) -> Answer:
    return answer


@dataclass(frozen=True)
class Envelope:
    """Both ways of one protocol."""

    # Makes the request what a request on /score is. Raises Failure for what it cannot read.
    unwrap: Callable[[Request, Start], None]
    # Makes the answer of a whole body what the platform reads.
    wrap: Callable[[Request, Answer, Start], Answer]
    # Makes a failure an answer; None: the host answers it.
    failed: Callable[[Request, Failure, Start], Answer | None]
    # Makes the answer that an exception stands for, a ScoringError say, what the platform reads.
    refused: Callable[[Request, Answer, Start], Answer] = _as_it_is
    # A stream is answered as a whole, in the form of the platform.
    whole: bool = False


ENVELOPES = {
    kinds.PROTOCOL_INSTANCES: Envelope(
        instances.unwrap, instances.wrap, instances.failed, instances.refused
    ),
    kinds.PROTOCOL_INVOCATIONS: Envelope(invocations.unwrap, invocations.wrap, invocations.failed),
    kinds.PROTOCOL_AZURE_FUNCTION: Envelope(
        azure_function.unwrap,
        azure_function.wrap,
        azure_function.failed,
        azure_function.wrap,
        whole=True,
    ),
}
"""By the protocol of the request. Others have none."""
