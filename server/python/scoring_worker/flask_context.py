"""Flask's context around run(), for scripts that use jsonify(), request or send_file().

Azure's server is an application of Flask, so its scripts can. Scripts that do not import Flask are
called without a context.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial
from typing import Any

from .environ import environ_of
from .import_script import NAME
from .messages import Request

Run = Callable[..., Any]


class FlaskContext:
    """Calls functions in the context of an application, once the script has imported Flask."""

    def __init__(self) -> None:
        self._app: Any = None

    def around(self, run: Run, request: Request) -> Run:
        """The function itself, or one that calls it within the context of a request."""
        flask = sys.modules.get("flask")
        if flask is None or not hasattr(flask, "Flask"):
            return run
        if self._app is None:
            self._app = flask.Flask(NAME, static_folder=None, template_folder=None)
        return partial(self._within, run, request)

    def _within(self, run: Run, request: Request, /, **arguments: Any) -> Any:
        with self._app.request_context(environ_of(request)):
            return run(**arguments)
