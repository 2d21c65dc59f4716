"""Raw requests: a script that answers browsers' preflights itself."""

from azureml.contrib.services.aml_request import AMLRequest, rawhttp
from azureml.contrib.services.aml_response import AMLResponse


def init():
    pass


@rawhttp
def run(request: AMLRequest):
    if request.method == "OPTIONS":
        answer = AMLResponse("", 200)
        answer.headers["Allow"] = "OPTIONS, GET, POST"
        answer.headers["Access-Control-Allow-Methods"] = "OPTIONS, GET, POST"
        answer.headers["Access-Control-Allow-Origin"] = "http://www.example.com"
        answer.headers["Access-Control-Allow-Headers"] = "*"
        return answer
    answer = AMLResponse(request.get_data(), 200)
    answer.headers["Access-Control-Allow-Origin"] = "http://www.example.com"
    return answer
