"""What scripts import of the package azureml-inference-server-http."""
