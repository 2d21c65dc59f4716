"""Networks of plain layers: perceptrons, convolutions, tables."""

import torch
from torch import nn
from torch.nn import functional as F

from torch_export import both


class Do(nn.Module):
    """A function of its layers, as a forward()."""

    def __init__(self, forward, **layers):
        super().__init__()
        for name, layer in layers.items():
            if isinstance(layer, torch.Tensor) and not isinstance(layer, nn.Parameter):
                self.register_buffer(name, layer)
            else:
                setattr(self, name, layer)
        self.function = forward

    def forward(self, *arguments):
        return self.function(self, *arguments)


def seen(module):
    """Running statistics as if it had been trained."""
    for layer in module.modules():
        if isinstance(layer, nn.modules.batchnorm._BatchNorm):
            layer.running_mean.normal_()
            layer.running_var.uniform_(0.5, 2)
    return module


def rows():
    return torch.randn(3, 6)


def images():
    return torch.randn(3, 3, 16, 16)


def mlps():
    plain = {
        'relu': lambda: nn.Sequential(nn.Linear(6, 16), nn.ReLU(), nn.Linear(16, 3)),
        'gelu': lambda: nn.Sequential(nn.Linear(6, 16), nn.GELU(), nn.Linear(16, 3)),
        'gelu-tanh': lambda: nn.Sequential(nn.Linear(6, 16), nn.GELU(approximate='tanh'), nn.Linear(16, 3)),
        'silu-mish': lambda: nn.Sequential(nn.Linear(6, 16), nn.SiLU(), nn.Linear(16, 8), nn.Mish(), nn.Linear(8, 3)),
        'elu-selu': lambda: nn.Sequential(nn.Linear(6, 16), nn.ELU(), nn.SELU(), nn.LeakyReLU(), nn.PReLU(), nn.Linear(16, 3)),
        'hard': lambda: nn.Sequential(nn.Linear(6, 16), nn.Hardswish(), nn.Hardsigmoid(), nn.ReLU6(), nn.Softplus(), nn.Linear(16, 3)),
        'softmax': lambda: nn.Sequential(nn.Linear(6, 16), nn.Tanh(), nn.Linear(16, 3), nn.Softmax(dim=1)),
        'softmax-last': lambda: nn.Sequential(nn.Linear(6, 16), nn.Tanh(), nn.Linear(16, 3), nn.Softmax(dim=-1)),
        'log-softmax': lambda: nn.Sequential(nn.Linear(6, 16), nn.Sigmoid(), nn.Linear(16, 3), nn.LogSoftmax(dim=1)),
        'batchnorm': lambda: seen(nn.Sequential(nn.BatchNorm1d(6), nn.Linear(6, 16), nn.BatchNorm1d(16), nn.ReLU(), nn.Linear(16, 3))),
        'layernorm': lambda: nn.Sequential(nn.Linear(6, 16), nn.LayerNorm(16), nn.ReLU(), nn.Linear(16, 3)),
        'dropout': lambda: nn.Sequential(nn.Linear(6, 16), nn.ReLU(), nn.Dropout(0.5), nn.Linear(16, 3)),
        'no-bias': lambda: nn.Sequential(nn.Linear(6, 16, bias=False), nn.ReLU(), nn.Linear(16, 1, bias=False), nn.Flatten(0)),
    }
    for name, build in plain.items():
        yield both('mlp', name, build, rows)
    rms = lambda: nn.Sequential(nn.Linear(6, 16), nn.RMSNorm(16), nn.ReLU(), nn.Linear(16, 3))
    yield both('mlp', 'rmsnorm', rms, rows, exporters=['dynamo'])
    residual = lambda: Do(lambda m, x: m.b(x + F.relu(m.a(x))), a=nn.Linear(6, 6), b=nn.Linear(6, 2))
    yield both('mlp', 'residual', residual, rows)
    squeezed = lambda: Do(lambda m, x: torch.sigmoid(m.a(x)).squeeze(-1), a=nn.Linear(6, 1))
    yield both('mlp', 'squeeze', squeezed, rows)
    heads = lambda: Do(lambda m, x: (m.a(x).argmax(1), m.a(x).softmax(1), m.a(x).max(1).values), a=nn.Linear(6, 4))
    yield both('mlp', 'label-and-scores', heads, rows, outputs=('label', 'scores', 'best'))
    top = lambda: Do(lambda m, x: m.a(x).softmax(-1).topk(2, dim=-1), a=nn.Linear(6, 5))
    yield both('mlp', 'top-k', top, rows, outputs=('values', 'indices'))
    normal = lambda: Do(lambda m, x: F.normalize(m.a(x), dim=1), a=nn.Linear(6, 5))
    yield both('mlp', 'unit-length', normal, rows)
    scaled = lambda: Do(lambda m, x: m.a((x - m.mean) / m.std).clamp(0, 10), a=nn.Linear(6, 2), mean=torch.randn(6), std=torch.rand(6) + 0.5)
    yield both('mlp', 'scaler-inside', scaled, rows)
    cleaned = lambda: Do(lambda m, x: m.a(torch.nan_to_num(torch.where(x > 100, torch.full_like(x, 100.0), x))), a=nn.Linear(6, 2))
    yield both('mlp', 'where-full-like', cleaned, rows)
    columns = lambda: Do(lambda m, x: torch.cat([m.a(x[:, :3]), x[:, 3:5] ** 2, x[:, 5].unsqueeze(1)], dim=1), a=nn.Linear(3, 2))
    yield both('mlp', 'columns', columns, rows)
    chunked = lambda: Do(lambda m, x: torch.stack([p.sum(1) for p in m.a(x).chunk(2, dim=1)], dim=1), a=nn.Linear(6, 4))
    yield both('mlp', 'chunk-stack', chunked, rows)
    gated = lambda: nn.Sequential(nn.Linear(6, 16), nn.GLU(dim=-1), nn.Linear(8, 3))
    yield both('mlp', 'glu', gated, rows)
    grouped = lambda: Do(lambda m, x: m.a(x).view(-1, 4, 2).mean(-1), a=nn.Linear(6, 8))
    yield both('mlp', 'view-minus-one', grouped, rows)
    kept = lambda: Do(lambda m, x: torch.cat([x, torch.zeros(x.size(0), 2), torch.ones_like(x[:, :1])], 1) @ m.w, w=nn.Parameter(torch.randn(9, 2)))
    yield both('mlp', 'zeros-of-size', kept, rows)
    cosine = lambda: Do(lambda m, x: F.cosine_similarity(m.a(x), m.b(x), dim=1), a=nn.Linear(6, 4), b=nn.Linear(6, 4))
    yield both('mlp', 'cosine', cosine, rows)
    experts = lambda: Do(
        lambda m, x: torch.einsum('be,beo->bo', m.gate(x).softmax(1), torch.stack([e(x) for e in m.experts], 1)),
        gate=nn.Linear(6, 3), experts=nn.ModuleList([nn.Linear(6, 2) for _ in range(3)]),
    )  # fmt: skip
    yield both('mlp', 'mixture-of-experts', experts, rows)
    distances = lambda: Do(lambda m, x: torch.cdist(x, m.centres).argmin(1), centres=nn.Parameter(torch.randn(4, 6)))
    yield both('mlp', 'nearest-centre', distances, rows, exporters=['script'])
    coder = lambda: nn.Sequential(nn.Linear(6, 3), nn.Tanh(), nn.Linear(3, 6))
    yield both('mlp', 'autoencoder', coder, rows)
    error = lambda: Do(lambda m, x: ((x - m.b(m.a(x).tanh())) ** 2).mean(1), a=nn.Linear(6, 3), b=nn.Linear(3, 6))
    yield both('mlp', 'reconstruction-error', error, rows)
    vae = lambda: Do(lambda m, x: m.mean(m.a(x).relu()), a=nn.Linear(6, 8), mean=nn.Linear(8, 2))
    yield both('mlp', 'vae-mean', vae, rows)
    half = lambda: nn.Sequential(nn.Linear(6, 16), nn.ReLU(), nn.Linear(16, 3)).double()
    yield both('mlp', 'double', half, lambda: rows().double())
    yield both('mlp', 'fixed', lambda: nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Linear(8, 3)), lambda: torch.randn(1, 6), dynamic={})
    time = lambda: nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 2))
    yield both('mlp', 'per-step', time, lambda: torch.randn(3, 5, 4), dynamic={'input': {1: 'steps'}})


class Block(nn.Module):
    """A residual block of two convolutions."""

    def __init__(self, channels):
        super().__init__()
        self.a, self.b = nn.Conv2d(channels, channels, 3, padding=1), nn.Conv2d(channels, channels, 3, padding=1)
        self.na, self.nb = nn.BatchNorm2d(channels), nn.BatchNorm2d(channels)

    def forward(self, x):
        return F.relu(x + self.nb(self.b(F.relu(self.na(self.a(x))))))


class Squeeze(nn.Module):
    """Squeeze and excitation."""

    def __init__(self, channels):
        super().__init__()
        self.fc = nn.Sequential(nn.Linear(channels, 2), nn.ReLU(), nn.Linear(2, channels), nn.Sigmoid())

    def forward(self, x):
        b, c, _, _ = x.size()
        y = F.adaptive_avg_pool2d(x, 1).view(b, c)
        return x * self.fc(y).view(b, c, 1, 1).expand_as(x)


class UNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.b, self.c = nn.Conv2d(3, 4, 3, padding=1), nn.Conv2d(4, 8, 3, padding=1), nn.Conv2d(8, 4, 3, padding=1)
        self.up, self.out = nn.ConvTranspose2d(8, 4, 2, stride=2), nn.Conv2d(4, 2, 1)

    def forward(self, x):
        first = F.relu(self.a(x))
        low = F.relu(self.b(F.max_pool2d(first, 2)))
        return self.out(F.relu(self.c(torch.cat([first, self.up(low)], dim=1)))).softmax(1)


def shuffled(m, x):
    """Channel shuffle as in ShuffleNet."""
    b, c, h, w = x.size()
    return m.conv(x.view(b, 3, c // 3, h, w).transpose(1, 2).contiguous().view(b, -1, h, w)).mean([2, 3])


def cnns():
    flat = nn.Linear(4 * 8 * 8, 3)
    plain = {
        'conv-pool-flatten': lambda: nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(256, 3)),
        'adaptive-pool': lambda: nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 3)),
        'adaptive-pool-2': lambda: nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), nn.AdaptiveAvgPool2d((4, 4)), nn.Flatten(1), nn.Linear(64, 3)),
        'avg-pool': lambda: nn.Sequential(nn.Conv2d(3, 4, 3, stride=2), nn.AvgPool2d(2), nn.Flatten(), nn.Linear(36, 3), nn.LogSoftmax(-1)),
        'group-norm': lambda: nn.Sequential(nn.Conv2d(3, 4, 3), nn.GroupNorm(2, 4), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten()),
        'instance-norm': lambda: nn.Sequential(nn.Conv2d(3, 4, 3), nn.InstanceNorm2d(4, affine=True), nn.AdaptiveMaxPool2d(1), nn.Flatten()),
        'upsample-nearest': lambda: nn.Sequential(nn.Conv2d(3, 4, 3), nn.Upsample(scale_factor=2), nn.Conv2d(4, 1, 3)),
        'upsample-bilinear': lambda: nn.Sequential(nn.Conv2d(3, 4, 3), nn.Upsample(size=(16, 16), mode='bilinear'), nn.Conv2d(4, 1, 1)),
        'depthwise': lambda: seen(nn.Sequential(nn.Conv2d(3, 3, 3, groups=3), nn.Conv2d(3, 6, 1), nn.BatchNorm2d(6), nn.ReLU6())),
        'resnet-like': lambda: seen(
            nn.Sequential(nn.Conv2d(3, 4, 3, stride=2), nn.BatchNorm2d(4), nn.ReLU(), nn.MaxPool2d(3, 2, 1), Block(4), Block(4),
                          nn.AdaptiveAvgPool2d((1, 1)), nn.Flatten(), nn.Linear(4, 5))
        ),
        'squeeze-excite': lambda: nn.Sequential(nn.Conv2d(3, 4, 3), Squeeze(4), nn.AdaptiveAvgPool2d(1), nn.Flatten()),
        'unet-like': UNet,
        'autoencoder': lambda: nn.Sequential(nn.Conv2d(3, 4, 3, 2, 1), nn.ReLU(), nn.ConvTranspose2d(4, 3, 3, 2, 1, output_padding=1), nn.Sigmoid()),
        'pixel-shuffle': lambda: nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), nn.PixelShuffle(2)),
        'padded': lambda: nn.Sequential(nn.ReflectionPad2d(1), nn.ZeroPad2d((1, 2, 1, 2)), nn.Conv2d(3, 2, 3)),
        'lrn': lambda: nn.Sequential(nn.Conv2d(3, 4, 5), nn.LocalResponseNorm(2), nn.MaxPool2d(2)),
    }  # fmt: skip
    for name, build in plain.items():
        yield both('cnn', name, build, images)
    views = lambda: Do(lambda m, x: m.fc(F.max_pool2d(F.relu(m.a(x)), 2).view(x.size(0), -1)), a=nn.Conv2d(3, 4, 3, padding=1), fc=flat)
    yield both('cnn', 'view-size', views, images)
    wild = lambda: Do(lambda m, x: m.fc(F.max_pool2d(F.relu(m.a(x)), 2).view(-1, 256)), a=nn.Conv2d(3, 4, 3, padding=1), fc=flat)
    yield both('cnn', 'view-minus-one', wild, images)
    yield both('cnn', 'channel-shuffle', lambda: Do(shuffled, conv=nn.Conv2d(6, 4, 1, groups=2)), lambda: torch.randn(3, 6, 8, 8))
    yield both('cnn', 'any-size', lambda: nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 2)),
               images, dynamic={'input': {2: 'height', 3: 'width'}}, dims={'height': 12, 'width': 10})  # fmt: skip
    skip = lambda: Do(lambda m, x: F.interpolate(m.b(F.avg_pool2d(m.a(x), 2)), size=x.shape[-2:], mode='nearest') + x, a=nn.Conv2d(3, 3, 3, padding=1), b=nn.Conv2d(3, 3, 1))
    yield both('cnn', 'resize-to-input', skip, images, dynamic={'input': {2: 'height', 3: 'width'}}, dims={'height': 12, 'width': 10})
    bytes_in = lambda: Do(lambda m, x: m.a(x.permute(0, 3, 1, 2).float() / 255.0).mean((2, 3)), a=nn.Conv2d(3, 4, 3))
    yield both('cnn', 'bytes-nhwc', bytes_in, lambda: torch.randint(0, 256, (3, 8, 8, 3), dtype=torch.uint8), integers={'input': 255})
    text = lambda: Do(lambda m, x: m.fc(torch.cat([F.relu(c(m.e(x).transpose(1, 2))).max(2).values for c in m.convs], 1)),
                      e=nn.Embedding(40, 8), convs=nn.ModuleList([nn.Conv1d(8, 4, k) for k in (2, 3)]), fc=nn.Linear(8, 2))  # fmt: skip
    yield both('cnn', 'text-conv1d', text, lambda: torch.randint(0, 40, (3, 9)), integers={'input': 39}, names=['input'])
    yield both('cnn', 'conv3d', lambda: nn.Sequential(nn.Conv3d(1, 2, 3), nn.ReLU(), nn.MaxPool3d(2), nn.Flatten(), nn.Linear(16, 2)), lambda: torch.randn(3, 1, 6, 6, 6))
    yield both('cnn', 'wave-conv1d', lambda: nn.Sequential(nn.Conv1d(1, 4, 5, 2), nn.ReLU(), nn.Conv1d(4, 4, 3, dilation=2), nn.AdaptiveAvgPool1d(1), nn.Flatten()), lambda: torch.randn(3, 1, 40))
    yield both('cnn', 'fixed', lambda: nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(784, 2)), lambda: torch.randn(1, 3, 16, 16), dynamic={})


def tables():
    mixed = lambda: Do(lambda m, number, city, kind: m.fc(torch.cat([number, m.city(city), m.kind(kind)], 1)),
                       city=nn.Embedding(20, 4), kind=nn.Embedding(5, 2), fc=nn.Sequential(nn.Linear(9, 8), nn.ReLU(), nn.Linear(8, 1)))  # fmt: skip
    yield both('tabular', 'several-inputs', mixed, lambda: (torch.randn(3, 3), torch.randint(0, 20, (3,)), torch.randint(0, 5, (3,))),
               names=['number', 'city', 'kind'], integers={'city': 19, 'kind': 4})  # fmt: skip
    columns = lambda: Do(lambda m, number, codes: m.fc(torch.cat([number] + [e(codes[:, i]) for i, e in enumerate(m.tables)], 1)).squeeze(1),
                         tables=nn.ModuleList([nn.Embedding(7, 2) for _ in range(3)]), fc=nn.Linear(9, 1))  # fmt: skip
    yield both('tabular', 'columns-of-codes', columns, lambda: (torch.randn(3, 3), torch.randint(0, 7, (3, 3))), names=['number', 'codes'], integers={'codes': 6})
    factors = lambda: Do(lambda m, user, item: (m.u(user) * m.i(item)).sum(1) + m.ub(user).squeeze(1) + m.ib(item).squeeze(1),
                         u=nn.Embedding(20, 4), i=nn.Embedding(30, 4), ub=nn.Embedding(20, 1), ib=nn.Embedding(30, 1))  # fmt: skip
    pair = lambda: (torch.randint(0, 20, (3,)), torch.randint(0, 30, (3,)))
    yield both('tabular', 'matrix-factorisation', factors, pair, names=['user', 'item'], integers={'user': 19, 'item': 29})
    dot = lambda: Do(lambda m, user, item: torch.bmm(m.u(user).unsqueeze(1), m.i(item).unsqueeze(2)).view(-1), u=nn.Embedding(20, 4), i=nn.Embedding(30, 4))
    yield both('tabular', 'two-towers-bmm', dot, pair, names=['user', 'item'], integers={'user': 19, 'item': 29})
    scores = lambda: Do(lambda m, user: m.u(user) @ m.i.weight.t(), u=nn.Embedding(20, 4), i=nn.Embedding(30, 4))
    yield both('tabular', 'scores-of-all-items', scores, lambda: torch.randint(0, 20, (3,)), names=['user'], integers={'user': 19})
    bag = lambda: Do(lambda m, x: m.fc(m.e(x).sum(1)), e=nn.Embedding(30, 6), fc=nn.Linear(6, 2))
    yield both('tabular', 'bag-sum', bag, lambda: torch.randint(0, 30, (3, 5)), dynamic={'input': {1: 'words'}}, integers={'input': 29})
    masked = lambda: Do(lambda m, x: m.fc((m.e(x) * (x != 0).unsqueeze(-1)).sum(1) / (x != 0).sum(1, keepdim=True).clamp(min=1)),
                        e=nn.Embedding(30, 6, padding_idx=0), fc=nn.Linear(6, 2))  # fmt: skip
    yield both('tabular', 'bag-masked-mean', masked, lambda: torch.randint(0, 30, (3, 5)), dynamic={'input': {1: 'words'}}, integers={'input': 29})
    hot = lambda: Do(lambda m, x: m.fc(F.one_hot(x, 9).float().sum(1)), fc=nn.Linear(9, 2))
    yield both('tabular', 'one-hot', hot, lambda: torch.randint(0, 9, (3, 4)), integers={'input': 8})
    deepfm = lambda: Do(lambda m, x: torch.sigmoid(m.w(x).sum((1, 2)) + 0.5 * (m.v(x).sum(1) ** 2 - (m.v(x) ** 2).sum(1)).sum(1)), w=nn.Embedding(40, 1), v=nn.Embedding(40, 4))
    yield both('tabular', 'factorisation-machine', deepfm, lambda: torch.randint(0, 40, (3, 5)), integers={'input': 39})
    pairs = lambda: Do(lambda m, x: m.fc(torch.bmm(m.e(x), m.e(x).transpose(1, 2))[:, m.i[0], m.i[1]]),
                       e=nn.Embedding(40, 4), fc=nn.Linear(6, 1), i=torch.triu_indices(4, 4, 1))  # fmt: skip
    yield both('tabular', 'dlrm-interaction', pairs, lambda: torch.randint(0, 40, (3, 4)), integers={'input': 39})
    shifted = lambda: Do(lambda m, x: m.fc(m.e(x + m.offsets).view(-1, 12)), e=nn.Embedding(30, 4), offsets=torch.tensor([0, 10, 20]), fc=nn.Linear(12, 1))
    yield both('tabular', 'offsets', shifted, lambda: torch.randint(0, 10, (3, 3)), integers={'input': 9})


def exports():
    for group in [*mlps(), *cnns(), *tables()]:
        yield from group
