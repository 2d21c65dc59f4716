"""The author's configuration of `logging`: logging.json, as Azure's server reads it."""

from __future__ import annotations

import json
import logging.config
import sys
from pathlib import Path


def configure_logging(path: str | None) -> None:
    """Applies the file, a dictionary of `logging.config.dictConfig`. None: there is none.

    It may name classes of the author: their folders have to be on sys.path. A wrong file is a
    warning, because the script can do without it.
    """
    if path is None:
        return
    try:
        logging.config.dictConfig(json.loads(Path(path).read_text("utf-8-sig")))
    except Exception as raised:
        why = f"{type(raised).__name__}: {raised}"
        if raised.__cause__ is not None:
            why += f": {raised.__cause__}"
        # The logging of a file that is half applied may print nothing.
        text = f"{path} has no effect: expected JSON of logging.config.dictConfig, got {why}"
        print(" ".join(text.split()), file=sys.stderr)
