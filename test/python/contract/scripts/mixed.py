"""Schema mode: a list of mixed types, which version 2 of Swagger cannot express."""

from inference_schema.parameter_types.standard_py_parameter_type import StandardPythonParameterType
from inference_schema.schema_decorators import input_schema


def init():
    pass


@input_schema("mixed", StandardPythonParameterType([1, "a"]))
def run(mixed, request_headers):
    return [mixed, request_headers.get("X-Mine")]
