"""Quantised forms by ONNX Runtime: dynamic ones measure the whole tensor, static ones carry their scales."""

import logging
import pathlib
import tempfile

import onnx
import onnxruntime
import torch
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_dynamic, quantize_static
from torch import nn

from exporting import Export
from torch_export import scripted
from torch_models import images, rows
from torch_sequences import layer

MAKER = f'onnxruntime {onnxruntime.__version__} (quantization of torch {torch.__version__.split("+")[0]})'
WHOLE = 'the scale is of the whole tensor, all rows together'


class Made(CalibrationDataReader):
    """Five batches of made-up calibration data."""

    def __init__(self, example):
        self.data = iter([{'input': example().numpy()} for _ in range(5)])

    def get_next(self):
        return next(self.data, None)


def source(build, example, opset=17):
    torch.manual_seed(7)
    axes = {'input': {0: 'batch'}, 'output': {0: 'batch'}}
    return scripted(build().eval(), (example(),), ['input'], ['output'], axes, opset)


def converted(build, example, convert):
    """What a converter of files makes of a module."""
    with tempfile.TemporaryDirectory() as folder:
        before, after = pathlib.Path(folder, 'before.onnx'), pathlib.Path(folder, 'after.onnx')
        onnx.save(source(build, example), before)
        logging.disable(logging.CRITICAL)
        convert(str(before), str(after))
        return onnx.load(after)


def exports():
    modules = {
        'mlp': (lambda: nn.Sequential(nn.Linear(6, 16), nn.ReLU(), nn.Linear(16, 3)), rows),
        'mlp-softmax': (lambda: nn.Sequential(nn.Linear(6, 16), nn.Sigmoid(), nn.Linear(16, 3), nn.Softmax(1)), rows),
        'cnn': (lambda: nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(256, 3)), images),
        'cnn-pool': (lambda: nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 3)), images),
        'transformer': (lambda: nn.TransformerEncoder(layer(), 1, enable_nested_tensor=False), lambda: torch.randn(3, 5, 8)),
    }
    for name, (build, example) in modules.items():
        dynamic = lambda before, after: quantize_dynamic(before, after, weight_type=QuantType.QUInt8)
        yield Export('quantised', f'{name}.dynamic', MAKER, lambda b=build, e=example, c=dynamic: converted(b, e, c), False, WHOLE)
        for form in (QuantFormat.QDQ, QuantFormat.QOperator):
            for channel in (False, True):

                def static(before, after, example=example, form=form, channel=channel):
                    kinds = {'activation_type': QuantType.QUInt8, 'weight_type': QuantType.QInt8}
                    quantize_static(before, after, Made(example), quant_format=form, per_channel=channel, **kinds)

                label = f'{name}.static-{form.name.lower()}{"-channels" if channel else ""}'
                yield Export('quantised', label, MAKER, lambda b=build, e=example, c=static: converted(b, e, c), True)
    yield Export('quantised', 'lstm.dynamic', MAKER,
                 lambda: converted(Last, lambda: torch.randn(3, 5, 4), lambda b, a: quantize_dynamic(b, a)), False, WHOLE)  # fmt: skip
    yield Export('quantised', 'mlp.half', 'onnxruntime transformers.float16', half, True)


class Last(nn.Module):
    """The last step of an LSTM."""

    def __init__(self):
        super().__init__()
        self.layer = nn.LSTM(4, 6, batch_first=True)

    def forward(self, x):
        return self.layer(x)[0][:, -1]


def half():
    from onnxruntime.transformers.float16 import convert_float_to_float16

    build = lambda: nn.Sequential(nn.Linear(6, 16), nn.ReLU(), nn.Linear(16, 3))
    return convert_float_to_float16(source(build, rows), keep_io_types=True)
