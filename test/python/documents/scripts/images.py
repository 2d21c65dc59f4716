"""Raw requests: sizes of the images of a form."""

from azureml.contrib.services.aml_request import AMLRequest, rawhttp
from PIL import Image


def init():
    pass


@rawhttp
def run(req: AMLRequest):
    images = req.files.getlist("file[]")
    return {"response": [{"filename": each.filename, "size": Image.open(each.stream).size} for each in images]}
