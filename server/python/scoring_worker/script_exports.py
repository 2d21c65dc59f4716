"""The names of an entry script that mean something to the server."""

from __future__ import annotations

import logging
from collections.abc import Callable
from types import ModuleType
from typing import Any

from .failures import Failure
from .signature import takes_arguments

_LOG = logging.getLogger("scoring_server")
_MOST_SHOWN = 20


def _anything(_: Any) -> bool:
    return True


def _keep_nothing(_body: Any, _info: Any) -> None:
    return None


class ScriptExports:
    """What a script defines. Other names than init and run may mean something else in it."""

    def __init__(self, path: str, module: ModuleType) -> None:
        """Raises Failure script_broken where init or run is missing."""
        self._where = f"User script at {path}"
        self._module = module
        self.init = self._required("init")
        outer = self._required("run")
        # Azure's SDK generates scripts around a script, whose run() gets wrong arguments.
        driven: Any = getattr(module, "driver_module", None)
        inner = isinstance(driven, ModuleType) and hasattr(driven, "run")
        self.run: Callable[..., Any] = driven.run if inner else outer
        self._modules: tuple[Any, ...] = (driven, module) if inner else (module,)

    @property
    def sample(self) -> Any:
        """Data for the deep check; None: there is none. init() may make it."""
        return self._named("sample")

    def close(self) -> Callable[[], Any] | None:
        """A function without parameters; None: there is none."""
        return self._named("close", takes_arguments(0))  # type: ignore[no-any-return]

    def concurrency(self) -> int | None:
        """What the script says of its run() calls at a time; None: nothing."""
        value = self._named("concurrency")
        if isinstance(value, int) and not isinstance(value, bool) and value >= 1:
            return value
        if value is not None and not callable(value) and not isinstance(value, ModuleType):
            _LOG.warning(
                "%s has concurrency %.100r, which is ignored: "
                "expected a whole number of at least 1",
                self._where,
                value,
            )
        return None

    def redact(self) -> Callable[[Any, Any], Any] | None:
        """The hook. In place of something else of that name, one that keeps nothing of bodies."""
        redact = self._named("redact")
        if redact is None or takes_arguments(2)(redact):
            return redact  # type: ignore[no-any-return]
        _LOG.warning(
            "%s has redact of type %s, so that no bodies are collected: expected a function "
            "redact(body, info) that returns what may be collected. Rename it if it is no hook",
            self._where,
            type(redact).__name__,
        )
        return _keep_nothing

    def _required(self, name: str) -> Callable[..., Any]:
        if not hasattr(self._module, name):
            defined = [each for each in vars(self._module) if not each.startswith("_")]
            shown = ", ".join(defined[:_MOST_SHOWN]) or "nothing"
            raise Failure(
                "script_broken",
                f"{self._where} does not have a {name}() function defined. It defines: {shown}.",
            )
        function: Any = getattr(self._module, name)
        if not callable(function):
            kind = type(function).__name__
            raise Failure(
                "script_broken", f"{self._where} has {name} of type {kind}: expected a function."
            )
        return function  # type: ignore[no-any-return]

    def _named(self, name: str, fits: Callable[[Any], bool] = _anything) -> Any:
        values = (getattr(each, name, None) for each in self._modules)
        return next((each for each in values if each is not None and fits(each)), None)
