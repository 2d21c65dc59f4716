"""The author's configuration of `logging`: logging.json, as Azure's server reads it."""

from __future__ import annotations

import json
import logging.config
from pathlib import Path

_LOG = logging.getLogger("scoring_server")


def configure_logging(path: str | None) -> None:
    """Applies the file, a dictionary of `logging.config.dictConfig`. None: there is none.

    It may name classes of the author: their folders have to be on sys.path. A wrong file is a
    warning, because the script can do without it.
    """
    if path is None:
        return
    why = ""
    try:
        logging.config.dictConfig(json.loads(Path(path).read_text("utf-8-sig")))
    except Exception as raised:
        causes = [raised] if raised.__cause__ is None else [raised, raised.__cause__]
        why = ": ".join(f"{type(each).__name__}: {each}" for each in causes)
    # A configuration disables each logger that it does not name.
    _LOG.disabled = False
    if why:
        _LOG.warning(
            "%s has no effect: expected JSON of logging.config.dictConfig, got %s",
            path,
            " ".join(why.split()),
        )
