"""What a script declares of its data with the package inference_schema.

Only a script that imports the package declares something. Why sys.modules: the package belongs to
the user's environment.
"""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Callable
from typing import Any

from .json_values import json_text
from .raised import text_of

_LOG = logging.getLogger("scoring_server")
# Names of the package for the versions of /swagger.json.
_VERSIONS = {"2": ("2", "2.0"), "3": ("3", "3.0"), "3.1": ("3.1",)}
# Both schemas travel in `ready`, which has at most 4 MiB.
_MOST_BYTES = 2 * 1024 * 1024
# As MOST_LEVELS of server/guards/nesting.ts.
_MOST_LEVELS = 1000
# As exampleBody of server/ipc/worker-messages.ts.
_LONGEST_EXAMPLE = 8192


def declares_schema(run: Callable[..., Any]) -> bool:
    """True for a function with @input_schema or @output_schema."""
    util = _package()
    try:
        return util is not None and bool(util.is_schema_decorated(run))
    except (Exception, RecursionError):
        # The package walks the closures of the function, which may be empty or circular.
        return False


def innermost(run: Callable[..., Any]) -> Any:
    """The author's function below its decorators, as the package finds it."""
    util = _package()
    try:
        return run if util is None else util._get_decorators(run)[-1]
    except (Exception, RecursionError):
        return run


def schemas_of(run: Callable[..., Any]) -> dict[str, Any]:
    """Members of ReadyMessage: `schemas`, and `example` where it is short.

    A schema that JSON cannot carry is a warning, because the script can be served without it.
    """
    util = _package()
    if util is None:
        return {}
    try:
        supported = set(util.get_supported_versions(run))
        schemas = {
            "input": _as_json(util.get_input_schema(run)),
            "output": _as_json(util.get_output_schema(run)),
            "versions": [version for version, names in _VERSIONS.items() if supported & set(names)],
        }
        size = len(json.dumps(schemas))
        levels = max(_levels(schemas["input"]), _levels(schemas["output"]))
    except Exception as raised:
        _LOG.warning("/swagger.json lacks the schemas of run(): %s", text_of(raised))
        return {}
    if size > _MOST_BYTES:
        _LOG.warning(
            "/swagger.json lacks the schemas of run(): they have %d bytes, and %d are the most. "
            "Declare shorter samples.",
            size,
            _MOST_BYTES,
        )
        return {}
    if levels > _MOST_LEVELS:
        _LOG.warning(
            "/swagger.json lacks the schemas of run(): they have %d levels, and %d are the most.",
            levels,
            _MOST_LEVELS,
        )
        return {}
    return {"schemas": schemas, **_example(schemas["input"])}


def _package() -> Any:
    return sys.modules.get("inference_schema.schema_util")


def _as_json(schema: Any) -> Any:
    """A copy that JSON carries: non-finite numbers of samples are null."""
    return json.loads(json_text(schema, "null"))


def _levels(value: Any) -> int:
    """Levels of lists and dicts. Raises RecursionError."""
    if not isinstance(value, (list, dict)):
        return 0
    items = value.values() if isinstance(value, dict) else value
    return 1 + max(map(_levels, items), default=0)


def _example(schema: Any) -> dict[str, str]:
    example = schema.get("example") if isinstance(schema, dict) else None
    text = json.dumps(example, separators=(",", ":"))
    return {"example": text} if example and len(text) <= _LONGEST_EXAMPLE else {}
