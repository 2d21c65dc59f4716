"""Tells of a Collector that is not this server's: it fails where Azure ML's collector is absent."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import PathFinder
from pathlib import Path
from types import ModuleType

_MODULE = "azureml.ai.monitoring"
_PACKAGES = Path(__file__).resolve().parents[1] / "packages"


class ForeignCollectorWatch(MetaPathFinder):
    """Finds nothing: sees who provides `azureml.ai.monitoring`, before the module runs."""

    def __init__(self, warn: Callable[[str], None]) -> None:
        self._warn = warn

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None = None,
        target: ModuleType | None = None,
    ) -> None:
        """Warns where the module is that of the script's environment."""
        if fullname != _MODULE or _has_sidecar():
            return
        spec = PathFinder.find_spec(fullname, path)
        origin = None if spec is None else spec.origin
        if origin is not None and not Path(origin).is_relative_to(_PACKAGES):
            self._warn(
                f"the script's Collector is that of the package azureml-ai-monitoring ({origin}). "
                "Where AZUREML_MDC_CONFIG_PATH is not set it collects nothing, and raises an error "
                "unless it has on_error; it ignores MDC_DIR. To use the server's Collector, leave "
                "the package out of the script's environment: pip uninstall azureml-ai-monitoring"
            )


def _has_sidecar() -> bool:
    """True where the collector of Azure ML is beside the container."""
    enabled = os.environ.get("AZUREML_MDC_ENABLED", "").lower() == "true"
    return enabled or os.environ.get("AZUREML_MDC_CONFIG_PATH", "") != ""
