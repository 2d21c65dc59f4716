"""Imports the entry script as the module `entry_module`, the name that Azure's server gives it."""

from __future__ import annotations

import sys
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

from . import shims
from .failures import Failure
from .import_advice import import_advice
from .logging_file import configure_logging
from .messages import Start
from .raised import traceback_of

NAME = "entry_module"
# Has a module of that name for processes that multiprocessing spawns.
_SPAWNED = str(Path(__file__).resolve().parent.parent / "spawned")


def author_folders(start: Start) -> list[str]:
    """Folders of the author: that of the script last."""
    # `importPath` has the source folder first, and Azure's server searches it last.
    folders = [*reversed(start["importPath"]), str(Path(start["entryScript"]).parent)]
    return list(dict.fromkeys(folders))


def import_script(start: Start) -> ModuleType:
    """Runs the code of the script. Raises Failure: script_broken.

    The module is in sys.modules, as pickle, dataclasses and multiprocessing need it.
    """
    shims.install()
    path = start["entryScript"]
    folders = author_folders(start)
    sys.path.extend(each for each in (*folders, _SPAWNED) if each not in sys.path)
    # Its handlers may be classes of the author's modules.
    configure_logging(start.get("loggingConfig"))
    loader = SourceFileLoader(NAME, path)
    spec = spec_from_file_location(NAME, path, loader=loader)
    assert spec is not None  # A loader is given.
    module = module_from_spec(spec)
    sys.modules[NAME] = module
    try:
        loader.exec_module(module)
    except BaseException as raised:
        advice = import_advice(raised, folders)
        lines = [
            "Failed to import user script because it raised an unhandled exception: " + path,
            traceback_of(raised),
            advice,
        ]
        raise Failure("script_broken", "\n".join(filter(None, lines))) from None
    return module
