"""What this server offers to entry scripts in Python, beside the modules of Azure.

A script that has to run elsewhere, too, leaves it out.
"""

from __future__ import annotations

from typing import Any

__all__ = ["ScoringError"]


class ScoringError(Exception):
    """Raised by run() to answer with a status and a message or a body of its own.

    `raise ScoringError(422, "age must be positive")` answers 422 and
    `{"message": "age must be positive"}`. `raise ScoringError(422, {"field": "age"})` answers 422
    and `{"field": "age"}`. A cause (`raise ... from error`) is logged, and stays out of the answer.
    """

    # Of a class whose __init__ does not call this one.
    status: int = 500
    message: str = ""
    body: Any = None

    def __init__(self, status: int, message: Any) -> None:
        """Takes a status from 400 to 599, and a text or a dict or list. Raises ValueError."""
        if isinstance(status, bool) or not isinstance(status, int) or not 400 <= status <= 599:
            raise ValueError(f"ScoringError: expected a status from 400 to 599, got {status!r}")
        super().__init__(status, message)
        self.status = int(status)
        # The body of the answer; None: an object with the message.
        self.body = message if isinstance(message, (dict, list)) else None
        self.message = str(message)

    def __str__(self) -> str:
        return self.message
