"""What a logging.json that was copied from Azure's server names."""

from __future__ import annotations

import logging
import time


class RootAccessFilter(logging.Filter):
    """Drops the lines of an access log about `GET /`."""

    def filter(self, record: logging.LogRecord) -> bool:
        """False for a line that is dropped."""
        return "GET / HTTP/1.1" not in record.getMessage()


class AMLLogFormatter(logging.Formatter):
    """Writes times in UTC."""

    def __init__(
        self,
        fmt: str | None = "%(asctime)s %(levelname).1s [%(process)d] %(name)s - %(message)s",
        datefmt: str | None = None,
        style: logging._FormatStyle = "%",
    ) -> None:
        super().__init__(fmt, datefmt, style)
        self.converter = time.gmtime
