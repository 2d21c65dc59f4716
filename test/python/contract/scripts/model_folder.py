"""Reads a file of AZUREML_MODEL_DIR."""

import os


def init():
    global text
    with open(os.path.join(os.getenv("AZUREML_MODEL_DIR"), "model.txt")) as file:
        text = file.read()


def run(data):
    return text
