"""Schema mode: values of Python."""

import datetime

from inference_schema.parameter_types.standard_py_parameter_type import StandardPythonParameterType
from inference_schema.schema_decorators import input_schema, output_schema

WHEN = datetime.datetime(2020, 1, 2, 3, 4, 5)


def init():
    pass


@input_schema("whole", StandardPythonParameterType(1), optional=True)
@input_schema("real", StandardPythonParameterType(1.5), optional=True)
@input_schema("flag", StandardPythonParameterType(True), optional=True)
@input_schema("text", StandardPythonParameterType("s"), optional=True)
@input_schema("blob", StandardPythonParameterType(b"ab"), optional=True)
@input_schema("when", StandardPythonParameterType(WHEN), optional=True)
@input_schema("clock", StandardPythonParameterType(WHEN.time()), optional=True)
@input_schema("many", StandardPythonParameterType([[1, 2], [3]]), optional=True)
@input_schema("things", StandardPythonParameterType([{"a": 1}, {"a": 2}]), optional=True)
@input_schema("thing", StandardPythonParameterType({"a": 1, "b": [1]}), optional=True)
@input_schema("kept", StandardPythonParameterType(1), convert_to_provided_type=False, optional=True)
@output_schema(StandardPythonParameterType(1.5))
def run(
    whole=None, real=None, flag=None, text=None, blob=None, when=None, clock=None, many=None, things=None, thing=None, kept=None
):
    given = {name: value for name, value in locals().items() if value is not None}
    return {name: [type(value).__name__, repr(value)] for name, value in given.items()}
