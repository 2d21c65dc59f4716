"""Schema mode: frames in every orientation."""

import pandas as pd
from inference_schema.parameter_types.pandas_parameter_type import PandasParameterType
from inference_schema.schema_decorators import input_schema

SAMPLE = pd.DataFrame({"a": [1], "b": ["x"]})
NUMBERS = pd.DataFrame({"a": [1, 2], "b": [3, 4]})
TYPED = pd.DataFrame({"i": [1], "f": [1.5], "s": ["x"], "b": [True], "d": [pd.Timestamp("2020-01-02")]})


def init():
    pass


@input_schema("records", PandasParameterType(SAMPLE), optional=True)
@input_schema("split", PandasParameterType(SAMPLE, orient="split"), optional=True)
@input_schema("index", PandasParameterType(SAMPLE, orient="index"), optional=True)
@input_schema("columns", PandasParameterType(SAMPLE, orient="columns"), optional=True)
@input_schema("values", PandasParameterType(NUMBERS, orient="values"), optional=True)
@input_schema("table", PandasParameterType(SAMPLE, orient="table"), optional=True)
@input_schema("typed", PandasParameterType(TYPED), optional=True)
@input_schema("named", PandasParameterType(SAMPLE, apply_column_names=True), optional=True)
@input_schema("any_shape", PandasParameterType(SAMPLE, enforce_shape=False), optional=True)
@input_schema("any_type", PandasParameterType(SAMPLE, enforce_column_type=False), optional=True)
def run(
    records=None,
    split=None,
    index=None,
    columns=None,
    values=None,
    table=None,
    typed=None,
    named=None,
    any_shape=None,
    any_type=None,
):
    given = {name: value for name, value in locals().items() if value is not None}
    return {
        name: {"types": [str(each) for each in value.dtypes], "csv": value.to_csv()} if isinstance(value, pd.DataFrame) else {"kept": value}
        for name, value in given.items()
    }
