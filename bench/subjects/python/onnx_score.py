import json

from model import OUTPUT, Model


def init():
    global model
    model = Model()


def run(data):
    return {"outputs": {OUTPUT: model.run(model.arrays(json.loads(data)["inputs"])).tolist()}}
