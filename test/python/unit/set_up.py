"""What the unit tests share: scripts, requests, and the start message of a worker."""

from __future__ import annotations

import sys
import tempfile
import unittest
from pathlib import Path
from typing import Any

from scoring_worker import shims
from scoring_worker.messages import Request, Start
from scoring_worker.script import Script, load

AZURE = ("azureml", "azureml_inference_server_http", "scoring_server")


def start(**members: Any) -> Start:
    """A start message with the defaults of the host."""
    return {
        "entryScript": "/app/score.py",
        "importPath": [],
        "nonFinite": "string",
        "jsonNan": "accept",
        "answerLimitBytes": 1024 * 1024,
        **members,
    }


def request(body: bytes | str = b"", **members: Any) -> Request:
    """A POST of JSON to /score."""
    headers: dict[str, str] = members.pop("headers", {})
    fields = {
        "ident": 1,
        "protocol": 0,
        "method": "POST",
        "url": "/score",
        "content_type": headers.get("Content-Type", "application/json"),
        "id": "id",
        "client_request_id": "",
        "trace_id": "",
        "traceparent": "",
        "raw_headers": [part for header in headers.items() for part in header],
        "body": body.encode() if isinstance(body, str) else body,
        **members,
    }
    return Request(**fields)


class ScriptTest(unittest.TestCase):
    """Tests that load scripts. What they import of Azure is forgotten after each."""

    def setUp(self) -> None:
        """Makes a folder, and the modules of Azure importable."""
        sys.dont_write_bytecode = True
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory()))
        finders, path = list(sys.meta_path), list(sys.path)
        shims.install()
        self.addCleanup(self._restore, finders, path)

    def enterContext(self, context: Any) -> Any:  # noqa: N802 -- unittest has it from 3.11 on
        """Enters a context until the end of the test."""
        value = context.__enter__()
        self.addCleanup(context.__exit__, None, None, None)
        return value

    def write(self, source: str, name: str = "score.py") -> str:
        """Writes a file; returns its path."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(source, "utf-8")
        return str(path)

    def load(self, source: str, **members: Any) -> Script:
        """Loads a script of this source."""
        return load(start(**{"entryScript": self.write(source), **members}))

    def _restore(self, finders: list[Any], path: list[str]) -> None:
        sys.meta_path[:] = finders
        sys.path[:] = path
        gone = (*AZURE, "entry_module", "inference_schema")
        for name in [each for each in sys.modules if each.partition(".")[0] in gone]:
            del sys.modules[name]
