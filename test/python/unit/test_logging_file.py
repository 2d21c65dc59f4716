"""The configuration of logging in a file."""

from __future__ import annotations

import io
import json
import logging
import sys
import tempfile
import unittest
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

from scoring_worker import shims
from scoring_worker.logging_file import configure_logging

PACKAGE = "azureml_inference_server_http.log_config"
STDOUT = {"class": "logging.StreamHandler", "stream": "ext://sys.stdout", "formatter": "own"}


class LoggingFile(unittest.TestCase):
    def setUp(self) -> None:
        shims.install()
        self._folder = tempfile.TemporaryDirectory()
        self.addCleanup(self._folder.cleanup)
        for name in ("own", "root"):
            logger = logging.getLogger(None if name == "root" else name)
            level, handlers = logger.level, list(logger.handlers)
            self.addCleanup(logger.setLevel, level)
            self.addCleanup(logger.handlers.__setitem__, slice(None), handlers)

    def written(self, content: Any, line: str = "hello") -> tuple[str, str]:
        """What a file and a line of logger `own` bring to stdout and stderr."""
        path = Path(self._folder.name, "logging.json")
        path.write_text(content if isinstance(content, str) else json.dumps(content), "utf-8")
        with redirect_stdout(io.StringIO()) as out, redirect_stderr(io.StringIO()) as err:
            configure_logging(str(path))
            logging.getLogger("own").info(line)
        return out.getvalue(), err.getvalue()

    def test_a_file_configures_loggers(self) -> None:
        own = {"level": "INFO", "handlers": ["out"], "propagate": False}
        formatters = {"own": {"format": "%(name)s %(levelname)s %(message)s"}}
        content = {"version": 1, "formatters": formatters, "handlers": {"out": STDOUT}}
        self.assertEqual(
            self.written({**content, "loggers": {"own": own}}), ("own INFO hello\n", "")
        )

    def test_names_of_azures_server_are_known(self) -> None:
        layout = "%(asctime)s %(levelname).1s [%(process)d] %(name)s - %(message)s"
        own = {"class": f"{PACKAGE}.AMLLogFormatter", "format": layout, "datefmt": "UTC"}
        content = {
            "version": 1,
            "formatters": {"own": own},
            "filters": {"probes": {"()": f"{PACKAGE}.RootAccessFilter"}},
            "handlers": {"out": {**STDOUT, "filters": ["probes"]}},
            "loggers": {"own": {"level": "INFO", "handlers": ["out"], "propagate": False}},
        }
        out, err = self.written(content)
        self.assertRegex(out, r"^UTC I \[\d+\] own - hello\n$")
        self.assertEqual(err, "")
        self.assertEqual(self.written(content, "GET / HTTP/1.1"), ("", ""))

    def test_a_wrong_file_is_one_line_and_no_error(self) -> None:
        for content, why in (
            ("{", "JSONDecodeError"),
            ("[]", "dictionary"),
            ("{}", "dictionary doesn't specify a version"),
            ({"version": 1, "handlers": {"a": {"class": "none.Such"}}}, "none"),
            ({"version": 1, "loggers": {"own": {"level": "LOUD"}}}, "LOUD"),
        ):
            out, err = self.written(content)
            self.assertEqual(out, "")
            self.assertRegex(err, f"^[^\n]*logging.json has no effect: [^\n]*({why})[^\n]*\n$")

    def test_no_file_changes_nothing(self) -> None:
        handlers = list(logging.getLogger().handlers)
        configure_logging(None)
        self.assertEqual(logging.getLogger().handlers, handlers)

    def test_a_file_that_cannot_be_read_is_one_line(self) -> None:
        with redirect_stderr(io.StringIO()) as err:
            configure_logging(self._folder.name)
        self.assertRegex(err.getvalue(), "has no effect: .*IsADirectoryError")


if __name__ == "__main__":
    sys.exit(unittest.main())
