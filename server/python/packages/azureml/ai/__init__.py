"""Of `azureml.ai` the server has `monitoring`."""
