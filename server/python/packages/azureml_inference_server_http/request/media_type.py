"""Content types and their parameters."""

from __future__ import annotations

from email.message import Message


def media_type_of(content_type: str | None) -> tuple[str, dict[str, str]]:
    """A content type without its parameters, in lower case, and the parameters."""
    if not content_type:
        return "", {}
    header = Message()
    header["content-type"] = content_type
    (media_type, _), *parameters = header.get_params(failobj=[(content_type, "")])
    return media_type.strip().lower(), {name.lower(): value for name, value in parameters}


def is_json(media_type: str) -> bool:
    """True for application/json and for types that are based on it."""
    return media_type == "application/json" or (
        media_type.startswith("application/") and media_type.endswith("+json")
    )
