"""The part of the package azureml-contrib-services that scripts import."""
