"""The configuration of logging in a file."""

from __future__ import annotations

import io
import json
import logging
import sys
import tempfile
import unittest
from contextlib import redirect_stdout
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

    def written(self, content: Any, line: str = "hello") -> str:
        """What a line of logger `own` brings to stdout, once a file has configured it."""
        path = Path(self._folder.name, "logging.json")
        path.write_text(content if isinstance(content, str) else json.dumps(content), "utf-8")
        with redirect_stdout(io.StringIO()) as out:
            configure_logging(str(path))
            logging.getLogger("own").info(line)
        return out.getvalue()

    def warned(self, content: Any) -> str:
        """The one warning about a wrong file."""
        with self.assertLogs("scoring_server", "WARNING") as logged:
            self.assertEqual(self.written(content), "")
        (line,) = logged.output
        return line

    def test_a_file_configures_loggers(self) -> None:
        own = {"level": "INFO", "handlers": ["out"], "propagate": False}
        formatters = {"own": {"format": "%(name)s %(levelname)s %(message)s"}}
        content: dict[str, Any] = {"version": 1, "formatters": formatters}
        content["handlers"] = {"out": STDOUT}
        content["loggers"] = {"own": own}
        self.assertEqual(self.written(content), "own INFO hello\n")

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
        self.assertRegex(self.written(content), r"^UTC I \[\d+\] own - hello\n$")
        self.assertEqual(self.written(content, "GET / HTTP/1.1"), "")

    def test_the_server_keeps_its_own_warnings(self) -> None:
        self.written({"version": 1, "disable_existing_loggers": True})
        self.assertFalse(logging.getLogger("scoring_server").disabled)

    def test_a_wrong_file_is_one_line_and_no_error(self) -> None:
        for content, why in (
            ("{", "JSONDecodeError"),
            ("[]", "dictionary"),
            ("{}", "dictionary doesn't specify a version"),
            ({"version": 1, "handlers": {"a": {"class": "none.Such"}}}, "none"),
            ({"version": 1, "loggers": {"own": {"level": "LOUD"}}}, "LOUD"),
        ):
            line = self.warned(content)
            self.assertRegex(line, f"logging.json has no effect: .*{why}")
            self.assertNotIn("\n", line)

    def test_no_file_changes_nothing(self) -> None:
        handlers = list(logging.getLogger().handlers)
        configure_logging(None)
        self.assertEqual(logging.getLogger().handlers, handlers)

    def test_a_file_that_cannot_be_read_is_one_line(self) -> None:
        with self.assertLogs("scoring_server", "WARNING") as logged:
            configure_logging(self._folder.name)
        self.assertRegex(logged.output[0], "has no effect: .*IsADirectoryError")


if __name__ == "__main__":
    sys.exit(unittest.main())
