"""A classifier with a schema of a frame."""

import os

import joblib
import numpy as np
import pandas as pd
from inference_schema.parameter_types.pandas_parameter_type import PandasParameterType
from inference_schema.parameter_types.standard_py_parameter_type import StandardPythonParameterType
from inference_schema.schema_decorators import input_schema, output_schema

NAMES = np.array(["Setosa", "Versicolor", "Virginica"])
SAMPLE = pd.DataFrame({"sepal_length": [7.2], "sepal_width": [3.2], "petal_length": [6.0], "petal_width": [1.8]})


def init():
    global model
    model = joblib.load(os.path.join(os.getenv("AZUREML_MODEL_DIR", ""), "models", "iris.pkl"))


@input_schema(param_name="iris", param_type=PandasParameterType(SAMPLE))
@output_schema(output_type=StandardPythonParameterType({"Category": ["Virginica"]}))
def run(iris):
    return {"Category": NAMES[model.predict(iris.to_numpy())].tolist()}
