"""Scripts with @rawhttp, and the class of the request that they get."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from .environ import environ_of
from .messages import Request

# The modules that scripts take `rawhttp` from. The decorator sets a flag of its module, as Azure's
# does: installed packages have it, too.
_MODULES = ("azureml_inference_server_http.api.aml_request", "azureml.contrib.services.aml_request")
_FLAG = "_rawHttpRequested"


def raw_request_maker() -> Callable[[Request], Any] | None:
    """What makes the request of a script that has used @rawhttp; None: it has not."""
    for name in _MODULES:
        module = sys.modules.get(name)
        if getattr(module, _FLAG, False):
            made_of = _request_class(module)
            return lambda request: made_of(environ_of(request))
    return None


def _request_class(module: Any) -> Callable[[dict[str, Any]], Any]:
    """Ours takes an environ. Azure's takes nothing: Azure's server hands out flask's, too."""
    own: Callable[[dict[str, Any]], Any] = module.AMLRequest
    flask = sys.modules.get("flask")
    if flask is not None and isinstance(own, type) and issubclass(own, flask.Request):
        made: Callable[[dict[str, Any]], Any] = flask.Request
        return made
    return own
