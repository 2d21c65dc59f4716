"""One torch module, exported by the two exporters of torch."""

import inspect
import io
import logging
import warnings
import zlib

import onnx
import torch

from exporting import Export

warnings.filterwarnings('ignore')
logging.disable(logging.WARNING)
# The fused forward of nn.TransformerEncoder has no export.
torch.backends.mha.set_fastpath_enabled(False)

OPSETS = {'script': range(11, 21), 'dynamo': range(18, 22)}


def opset_of(name, exporter, least):
    """An opset that hangs on the name alone, so that one more export renames no other."""
    opsets = [opset for opset in OPSETS[exporter] if opset >= least]
    return opsets[zlib.crc32(name.encode()) % len(opsets)]



def scripted(module, example, names, outputs, dynamic, opset, training=False, fold=True):
    """The TorchScript exporter: dynamic_axes are names by input and axis."""
    buffer = io.BytesIO()
    torch.onnx.export(
        module,
        example,
        buffer,
        dynamo=False,
        input_names=list(names),
        output_names=list(outputs),
        dynamic_axes=dynamic,
        opset_version=opset,
        do_constant_folding=fold,
        training=torch.onnx.TrainingMode.TRAINING if training else torch.onnx.TrainingMode.EVAL,
    )
    return onnx.load_from_string(buffer.getvalue())


def traced(module, example, names, outputs, dynamic, opset):
    """The newer exporter, of torch.export: dynamic_shapes are the same names."""
    sizes = {}
    shapes = tuple(
        {axis: sizes.setdefault(label, torch.export.Dim(label, min=1 if label == 'batch' else 2)) for axis, label in dynamic.get(name, {}).items()}
        for name in names
    )
    # A forward(*arguments) takes its shapes as one tuple.
    if any(p.kind is p.VAR_POSITIONAL for p in inspect.signature(module.forward).parameters.values()):
        shapes = (shapes,)
    with torch.no_grad():
        program = torch.onnx.export(
            module,
            example,
            dynamo=True,
            input_names=list(names),
            output_names=list(outputs),
            dynamic_shapes=shapes if dynamic else None,
            opset_version=opset,
            verbose=False,
        )
    return program.model_proto


def both(family, name, build, example, row_wise=True, why='', outputs=('output',), dynamic=None, names=None,
         integers=None, dims=None, exporters=('script', 'dynamo'), least=11):  # fmt: skip
    """Exports of one module by each exporter, of the next opsets in turn.

    build: makes the module; example: makes its arguments, a batch of 3.
    least: the first opset that the TorchScript exporter takes.
    dynamic: names of axes by input besides axis 0, which is `batch` unless the dict is empty.
    """
    example_names = names or ['input']
    axes = {key: {0: 'batch', **(dynamic or {}).get(key, {})} for key in example_names} if dynamic != {} else {}
    output_axes = {key: {0: 'batch'} for key in outputs} if dynamic != {} else {}
    for exporter in exporters:
        opset = opset_of(f'{family}/{name}', exporter, least)

        def make(exporter=exporter, opset=opset):
            torch.manual_seed(7)
            module, arguments = build().eval(), example()
            arguments = arguments if isinstance(arguments, tuple) else (arguments,)
            if exporter == 'script':
                return scripted(module, arguments, example_names, outputs, {**axes, **output_axes}, opset)
            return traced(module, arguments, example_names, outputs, axes, opset)

        flag = 'dynamo=False' if exporter == 'script' else 'dynamo=True'
        yield Export(
            family, f'{name}.{exporter}{opset}', f'torch {torch.__version__.split("+")[0]} ({flag})', make,
            row_wise if dynamic != {} else None, why, integers or {}, {**(dims or {})},
        )  # fmt: skip
