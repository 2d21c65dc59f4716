"""AZUREML_DEBUG_PORT: connects to a debugger before the script is loaded, as under Azure."""

from __future__ import annotations

import os
import sys

from .failures import Failure
from .log import ScriptLog

_VARIABLE = "AZUREML_DEBUG_PORT"


def connect_debugger(log: ScriptLog) -> None:
    """Waits for the debugger that listens on that port, if there is one.

    Raises Failure script_broken where it cannot.
    """
    text = os.environ.get(_VARIABLE, "").strip()
    if text in ("", "0"):
        return
    if not text.isdecimal():
        raise Failure("script_broken", f"{_VARIABLE} is {text!r:.100}: expected a port.")
    try:
        import debugpy  # type: ignore[import-not-found]
    except ModuleNotFoundError:
        raise Failure(
            "script_broken",
            f"{_VARIABLE} is set, and {sys.executable} has no debugpy: run `{sys.executable} -m "
            f"pip install debugpy`, or unset {_VARIABLE}.",
        ) from None
    log.line("warn", f"{_VARIABLE} is set: the worker connects to the debugger at port {text}")
    try:
        debugpy.connect(int(text))
    except Exception as raised:
        raise Failure(
            "script_broken",
            f"{_VARIABLE} is {text}, and no debugger listens there ({raised}): start the "
            f"debugger first, or unset {_VARIABLE}.",
        ) from raised
    debugpy.wait_for_client()
