"""Schema mode: arrays of every kind."""

import numpy as np
from inference_schema.parameter_types.numpy_parameter_type import NumpyParameterType
from inference_schema.schema_decorators import input_schema

STRUCTURED = np.array([(1, 2.0)], dtype=[("x", "int32"), ("y", "float64")])


def init():
    pass


@input_schema("doubles", NumpyParameterType(np.array([[1.0, 2.0], [3.0, 4.0]])), optional=True)
@input_schema("floats", NumpyParameterType(np.array([1.5], dtype=np.float32)), optional=True)
@input_schema("ints", NumpyParameterType(np.array([1, 2])), optional=True)
@input_schema("bytes8", NumpyParameterType(np.array([1, 2], dtype=np.uint8)), optional=True)
@input_schema("flags", NumpyParameterType(np.array([True, False])), optional=True)
@input_schema("texts", NumpyParameterType(np.array(["a", "b"])), optional=True)
@input_schema("rows", NumpyParameterType(STRUCTURED), optional=True)
@input_schema("any_shape", NumpyParameterType(np.array([[1.0, 2.0]]), enforce_shape=False), optional=True)
@input_schema("any_type", NumpyParameterType(np.array([1, 2]), enforce_column_type=False), optional=True)
def run(
    doubles=None, floats=None, ints=None, bytes8=None, flags=None, texts=None, rows=None, any_shape=None, any_type=None
):
    given = {name: value for name, value in locals().items() if value is not None}
    return {
        name: {"dtype": str(value.dtype), "shape": list(value.shape), "value": value.tolist()}
        if isinstance(value, np.ndarray)
        else {"kept": value}
        for name, value in given.items()
    }
