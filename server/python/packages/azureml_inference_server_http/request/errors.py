"""Errors of requests: the client's fault, so they are answered with a status of 4xx."""

from __future__ import annotations


class RequestError(Exception):
    """A request that its client has to change. The client reads the description."""

    def __init__(self, code: int, description: str) -> None:
        super().__init__(description)
        self.code = code
        self.description = description


class MissingValue(RequestError, KeyError):
    """A parameter, a field or a file that the client has not sent."""

    def __init__(self, name: object) -> None:
        super().__init__(400, f"A value is not provided for the {name!r} parameter.")

    def __str__(self) -> str:
        return self.description
