"""The script of Azure's documents that collects DataFrames."""

import json
import logging

import pandas as pd
from azureml.ai.monitoring import Collector


def init():
    global inputs_collector, outputs_collector

    inputs_collector = Collector(
        name="model_inputs", on_error=lambda e: logging.info("ex:{}".format(e))
    )
    outputs_collector = Collector(
        name="model_outputs", on_error=lambda e: logging.info("ex:{}".format(e))
    )


def run(data):
    pdf_data = preprocess(json.loads(data))
    input_df = pd.DataFrame(pdf_data)
    context = inputs_collector.collect(input_df)
    output_df = predict(input_df)
    outputs_collector.collect(output_df, context)
    return output_df.to_dict()


def preprocess(json_data):
    return json_data["data"]


def predict(input_df):
    return pd.DataFrame({"sum": input_df.sum(axis=1)})
