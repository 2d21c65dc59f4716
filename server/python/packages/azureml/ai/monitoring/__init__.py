"""The server's own `azureml.ai.monitoring`: docs/data-collection.md."""

from .collector import Collector
from .context import BasicCorrelationContext

__all__ = ["BasicCorrelationContext", "Collector"]
