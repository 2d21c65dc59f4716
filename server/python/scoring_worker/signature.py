"""The parameters of run(), as Azure's server takes them: docs/http-api.md."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from .failures import Failure

HEADERS_PARAMETER = "request_headers"
_MOST_DECORATORS = 100
_BY_NAME = (inspect.Parameter.KEYWORD_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
REQUIRED = inspect.Parameter.empty


@dataclass(frozen=True)
class Signature:
    """Parameters of run(), without `request_headers`."""

    # Name and default, or REQUIRED.
    parameters: tuple[tuple[str, Any], ...]
    takes_headers: bool

    @property
    def first(self) -> str:
        """Name of the parameter that gets the body, or the request."""
        return self.parameters[0][0]


def signature_of(run: Callable[..., Any]) -> Signature:
    """Reads the parameters of run(). Raises Failure script_broken, with Azure's texts."""
    try:
        parameters = list(inspect.signature(run).parameters.values())
    except (TypeError, ValueError) as raised:
        raise Failure(
            "script_broken", f"The parameters of run() cannot be read: {raised}"
        ) from None
    if any(each.kind not in _BY_NAME for each in parameters):
        raise Failure(
            "script_broken",
            "run() cannot accept positional-only arguments, *args, or **kwargs.",
        )
    data = tuple((each.name, each.default) for each in parameters if each.name != HEADERS_PARAMETER)
    takes_headers = len(data) < len(parameters)
    if not data:
        other = f'other than "{HEADERS_PARAMETER}"' if takes_headers else "for input data"
        raise Failure("script_broken", f"run() needs to accept an argument {other}.")
    return Signature(data, takes_headers)


def takes_arguments(count: int) -> Callable[[Any], bool]:
    """A check for functions that can be called with so many arguments."""

    def takes(function: Any) -> bool:
        try:
            inspect.signature(function).bind(*[None] * count)
        except (TypeError, ValueError):
            return False
        return True

    return takes


def is_async(run: Any) -> bool:
    """True for a coroutine function or an async generator function, also below decorators."""
    for _ in range(_MOST_DECORATORS):
        call = getattr(run, "__call__", None)  # noqa: B004 -- of an object that is called
        if any(_is_coroutine_function(each) for each in (run, call)):
            return True
        run = getattr(run, "__wrapped__", None) or getattr(run, "func", None)
        if run is None:
            break
    return False


def _is_coroutine_function(function: Any) -> bool:
    return inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function)
