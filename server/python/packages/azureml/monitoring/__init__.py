"""The server's own `azureml.monitoring`, the older API, which writes CSV."""

from .model_data_collector import ModelDataCollector

__all__ = ["ModelDataCollector"]
