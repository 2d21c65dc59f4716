"""What a content type says, of a request and of a file in it."""

from __future__ import annotations

from .headers import Headers
from .media_type import media_type_of


class Typed:
    """Something with headers."""

    headers: Headers

    @property
    def content_type(self) -> str | None:
        """The header; None: it is absent."""
        return self.headers.get("Content-Type")

    @property
    def mimetype(self) -> str:
        """Content type without parameters, in lower case."""
        return media_type_of(self.content_type)[0]

    @property
    def mimetype_params(self) -> dict[str, str]:
        """Parameters of the content type."""
        return media_type_of(self.content_type)[1]
