import numpy as np
from inference_schema.parameter_types.numpy_parameter_type import NumpyParameterType
from inference_schema.schema_decorators import input_schema


def init(): pass


@input_schema("data", NumpyParameterType(None))
def run(data): return data
