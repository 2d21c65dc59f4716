"""The list of exports: each has a maker, and what its author knows of its rows."""

import dataclasses
import typing

import onnx


@dataclasses.dataclass
class Export:
    """One model to make.

    row_wise: the judgement of who knows the module; None where the first dimension is fixed.
    integers: the largest value of each integer input, by its name.
    dims: sizes of symbolic dimensions besides the first, by their name.
    words: the values of each string input, by its name.
    holes: whether each row needs a NaN, for the model crashes ONNX Runtime on complete rows.
    """

    family: str
    name: str
    maker: str
    make: typing.Callable[[], onnx.ModelProto]
    row_wise: bool | None
    why: str = ''
    integers: dict[str, int] = dataclasses.field(default_factory=dict)
    dims: dict[str, int] = dataclasses.field(default_factory=dict)
    words: dict[str, list[str]] = dataclasses.field(default_factory=dict)
    holes: bool = False

    @property
    def file(self):
        return f'{self.family}/{self.name}.onnx'


LARGEST = 60 * 1024


def stripped(model):
    """The model without the traces of Python files that torch writes beside each node."""
    for graph in [model.graph, *model.functions]:
        for node in graph.node:
            del node.metadata_props[:]
            node.doc_string = ''
    for value in [*model.graph.value_info, *model.graph.input, *model.graph.output, *model.graph.initializer]:
        del value.metadata_props[:]
        value.doc_string = ''
    return model
