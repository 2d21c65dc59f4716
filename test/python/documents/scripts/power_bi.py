"""Inputs and GlobalParameters, as AutoML and Power BI write them."""

import json

import numpy as np
import pandas as pd
from inference_schema.parameter_types.numpy_parameter_type import NumpyParameterType
from inference_schema.parameter_types.pandas_parameter_type import PandasParameterType
from inference_schema.parameter_types.standard_py_parameter_type import StandardPythonParameterType
from inference_schema.schema_decorators import input_schema, output_schema

data_sample = PandasParameterType(pd.DataFrame({"age": pd.Series([0], dtype="int64"), "job": pd.Series(["x"], dtype="object")}))
input_sample = StandardPythonParameterType({"data": data_sample})
method_sample = StandardPythonParameterType("predict")
sample_global_params = StandardPythonParameterType({"method": method_sample})
output_sample = StandardPythonParameterType({"Results": NumpyParameterType(np.array(["x"]))})


def init():
    pass


@input_schema("GlobalParameters", sample_global_params, convert_to_provided_type=False)
@input_schema("Inputs", input_sample)
@output_schema(output_sample)
def run(Inputs, GlobalParameters={"method": "predict"}):
    frame = Inputs["data"]
    result = [f"{job} of {age}: {GlobalParameters['method']}" for age, job in zip(frame["age"], frame["job"])]
    return json.loads(json.dumps({"Results": result}))
