"""Schema mode: types within types, as Designer and Power BI write them."""

import numpy as np
import pandas as pd
from inference_schema.parameter_types.numpy_parameter_type import NumpyParameterType
from inference_schema.parameter_types.pandas_parameter_type import PandasParameterType
from inference_schema.parameter_types.standard_py_parameter_type import StandardPythonParameterType
from inference_schema.schema_decorators import input_schema, output_schema

FRAME = PandasParameterType(pd.DataFrame({"a": [1, 2], "b": ["x", "y"]}))
ARRAY = NumpyParameterType(np.array([1, 2]))
INPUTS = StandardPythonParameterType({"frame": FRAME, "array": ARRAY, "plain": 0.5})
LIST = StandardPythonParameterType([ARRAY])


def init():
    pass


@input_schema("Inputs", INPUTS)
@input_schema("List", LIST, optional=True)
@input_schema("GlobalParameters", StandardPythonParameterType(1.0), optional=True)
@output_schema(StandardPythonParameterType({"Results": ARRAY}))
def run(Inputs, List=None, GlobalParameters=None):
    kinds = {name: type(value).__name__ for name, value in Inputs.items()}
    return {
        "kinds": kinds,
        "list": None if List is None else [type(each).__name__ for each in List],
        "global": GlobalParameters,
        "Results": [int(each) for each in Inputs.get("array", [])],
    }
