"""The module azureml_inference_server_http.api.aml_response under its older name."""

import sys

from azureml_inference_server_http.api import aml_response

# The installed one, where the environment has it: both names are one module.
sys.modules[__name__] = aml_response
