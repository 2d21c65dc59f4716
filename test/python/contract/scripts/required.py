"""Schema mode: required parameters, defaults, parameters without a type."""

import numpy as np
from inference_schema.parameter_types.numpy_parameter_type import NumpyParameterType
from inference_schema.parameter_types.standard_py_parameter_type import StandardPythonParameterType
from inference_schema.schema_decorators import input_schema, output_schema


def init():
    pass


@input_schema("data", NumpyParameterType(np.array([[1.0, 2.0], [3.0, 4.0]])))
@input_schema("num", StandardPythonParameterType(1))
@output_schema(StandardPythonParameterType({"Results": [1.0]}))
def run(data, num, extra="nothing"):
    return {"type": type(data).__name__, "shape": list(data.shape), "sum": float(data.sum()), "num": num, "extra": extra}
