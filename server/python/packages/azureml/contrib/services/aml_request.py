"""The module azureml_inference_server_http.api.aml_request under its older name."""

import sys

from azureml_inference_server_http.api import aml_request

# The installed one, where the environment has it: both names are one module.
sys.modules[__name__] = aml_request
