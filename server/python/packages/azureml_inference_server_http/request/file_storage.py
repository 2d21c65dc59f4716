"""A file of a form."""

from __future__ import annotations

import shutil
from io import BytesIO
from os import PathLike
from pathlib import Path
from typing import Any, BinaryIO

from .headers import Headers
from .typed import Typed


class FileStorage(Typed):
    """An uploaded file, which can be read as a binary file."""

    def __init__(self, content: bytes, filename: str, name: str, headers: Headers) -> None:
        self.stream: BinaryIO = BytesIO(content)
        self.filename = filename
        # Of the field.
        self.name = name
        self.headers = headers
        self.content_length = len(content)

    def __getattr__(self, name: str) -> Any:
        # Members of a file: read, seek, tell, readline.
        if name == "stream":
            raise AttributeError(name)
        return getattr(self.stream, name)

    def __iter__(self) -> Any:
        return iter(self.stream)

    def __bool__(self) -> bool:
        return bool(self.filename)

    def __repr__(self) -> str:
        return f"<FileStorage: {self.filename!r} ({self.content_type!r})>"

    def save(self, dst: str | PathLike[str] | BinaryIO, buffer_size: int = 16384) -> None:
        """Writes the rest of the file to a path, or into a binary file."""
        if isinstance(dst, (str, PathLike)):
            with Path(dst).open("wb") as file:
                shutil.copyfileobj(self.stream, file, buffer_size)
        else:
            shutil.copyfileobj(self.stream, dst, buffer_size)

    def close(self) -> None:
        """Closes the file."""
        self.stream.close()
