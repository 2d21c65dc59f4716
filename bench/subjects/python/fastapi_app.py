from fastapi import FastAPI
from pydantic import BaseModel

from model import OUTPUT, Model

app = FastAPI()
model = Model()


class Body(BaseModel):
    inputs: dict[str, list]


@app.get("/health")
async def health():
    return "ok"


@app.post("/score")
async def score(body: Body):
    return {"outputs": {OUTPUT: model.run(model.arrays(body.inputs)).tolist()}}
