"""Networks over sequences: recurrent ones, attention, transformer encoders."""

import math

import torch
from torch import nn
from torch.nn import functional as F

from torch_export import both
from torch_models import Do

STEPS = {'input': {1: 'steps'}}
FIRST_IS_TIME = 'axis 0 is time; the layer carries its state along it'


def sequences():
    return torch.randn(3, 5, 4)


def tokens():
    return torch.randint(0, 30, (3, 5))


def recurrent():
    for kind in (nn.LSTM, nn.GRU, nn.RNN):
        name = kind.__name__.lower()
        last = lambda kind=kind: Do(lambda m, x: m.fc(m.layer(x)[0][:, -1]), layer=kind(4, 6, batch_first=True), fc=nn.Linear(6, 2))
        yield both('recurrent', f'{name}-last-step', last, sequences)
        every = lambda kind=kind: Do(lambda m, x: m.fc(m.layer(x)[0]), layer=kind(4, 5, 2, batch_first=True), fc=nn.Linear(5, 2))
        yield both('recurrent', f'{name}-every-step', every, sequences, dynamic=STEPS, exporters=['script'])
        ways = lambda kind=kind: Do(lambda m, x: m.layer(x)[0].mean(1), layer=kind(4, 5, batch_first=True, bidirectional=True))
        yield both('recurrent', f'{name}-bidirectional', ways, sequences)
        turned = lambda kind=kind: Do(lambda m, x: m.fc(m.layer(x.transpose(0, 1))[0][-1]), layer=kind(4, 6), fc=nn.Linear(6, 2))
        yield both('recurrent', f'{name}-time-first-inside', turned, sequences)
        outer = lambda kind=kind: Do(lambda m, x: m.fc(m.layer(x)[0]), layer=kind(4, 6), fc=nn.Linear(6, 2))
        yield both('recurrent', f'{name}-time-first', outer, sequences, False, FIRST_IS_TIME, exporters=['script'])
    state = lambda: Do(lambda m, x: m.fc(m.layer(x)[1][0][-1]), layer=nn.LSTM(4, 6, batch_first=True), fc=nn.Linear(6, 2))
    yield both('recurrent', 'lstm-last-state', state, sequences)
    both_ends = lambda: Do(lambda m, x: (lambda h: m.fc(torch.cat([h[-2], h[-1]], 1)))(m.layer(x)[1]), layer=nn.GRU(4, 6, batch_first=True, bidirectional=True), fc=nn.Linear(12, 2))
    yield both('recurrent', 'gru-both-ends', both_ends, sequences)
    given = lambda: Do(lambda m, x, h: (lambda y, s: (m.fc(y[:, -1]), s.transpose(0, 1)))(*m.layer(x, h.transpose(0, 1).contiguous())),
                       layer=nn.GRU(4, 6, batch_first=True), fc=nn.Linear(6, 2))  # fmt: skip
    yield both('recurrent', 'gru-state-batch-first', given, lambda: (sequences(), torch.randn(3, 1, 6)), names=['input', 'state'], outputs=('output', 'next'))
    flat = lambda: Do(lambda m, x, h, c: m.cell(x, (h, c)), cell=nn.LSTMCell(4, 6))
    yield both('recurrent', 'lstm-cell', flat, lambda: (torch.randn(3, 4), torch.randn(3, 6), torch.randn(3, 6)), names=['input', 'h', 'c'], outputs=('next_h', 'next_c'))
    words = lambda: Do(lambda m, x: m.fc(m.layer(m.e(x))[0].max(1).values), e=nn.Embedding(30, 4), layer=nn.LSTM(4, 5, batch_first=True), fc=nn.Linear(5, 2))
    yield both('recurrent', 'lstm-words', words, tokens, integers={'input': 29})
    zeros = lambda: Do(lambda m, x: m.fc(m.layer(x, (torch.zeros(1, x.size(0), 6), torch.zeros(1, x.size(0), 6)))[0][:, -1, :]),
                       layer=nn.LSTM(4, 6, batch_first=True), fc=nn.Linear(6, 1))  # fmt: skip
    yield both('recurrent', 'lstm-zeros-of-size', zeros, sequences)
    conv = lambda: Do(lambda m, x: m.fc(m.layer(F.relu(m.conv(x.transpose(1, 2))).transpose(1, 2))[0][:, -1]),
                      conv=nn.Conv1d(4, 5, 3, padding=1), layer=nn.LSTM(5, 4, batch_first=True), fc=nn.Linear(4, 2))  # fmt: skip
    yield both('recurrent', 'conv-lstm', conv, sequences)
    attentive = lambda: Do(lambda m, x: (lambda y: m.fc((m.score(y).softmax(1) * y).sum(1)))(m.layer(x)[0]),
                           layer=nn.GRU(4, 6, batch_first=True), score=nn.Linear(6, 1), fc=nn.Linear(6, 2))  # fmt: skip
    yield both('recurrent', 'gru-attention-pool', attentive, sequences)
    yield both('recurrent', 'lstm-fixed', lambda: Do(lambda m, x: m.layer(x)[0][:, -1], layer=nn.LSTM(4, 6, batch_first=True)), lambda: torch.randn(1, 5, 4), dynamic={})


def by_hand(m, x, mask=None):
    """Attention of two heads written with view and transpose."""
    b, t, c = x.size()
    q, k, v = (layer(x).view(b, t, 2, c // 2).transpose(1, 2) for layer in (m.q, m.k, m.v))
    scores = q @ k.transpose(-2, -1) / math.sqrt(c // 2)
    if mask is not None:
        scores = scores.masked_fill(mask[:, None, None, :] == 0, float('-inf'))
    y = scores.softmax(-1) @ v
    return m.o(y.transpose(1, 2).contiguous().view(b, t, c))


def qkv(m, x):
    """Attention of two heads by one projection, as in ViT."""
    b, t, c = x.shape
    q, k, v = m.w(x).reshape(b, t, 3, 2, c // 2).permute(2, 0, 3, 1, 4).unbind(0)
    y = F.scaled_dot_product_attention(q, k, v)
    return m.o(y.transpose(1, 2).reshape(b, t, c))


def causal(m, x):
    b, t, c = x.shape
    q, k, v = (p.view(b, t, 2, c // 2).transpose(1, 2) for p in m.w(x).split(c, dim=2))
    scores = (q @ k.transpose(-2, -1)).masked_fill(torch.tril(torch.ones(t, t)) == 0, float('-inf'))
    return m.o((scores.softmax(-1) @ v).transpose(1, 2).contiguous().view(b, t, c))


def einsum(m, x):
    q, k, v = (layer(x).unflatten(-1, (2, 2)) for layer in (m.q, m.k, m.v))
    weights = torch.einsum('bqhd,bkhd->bhqk', q, k).softmax(-1)
    return m.o(torch.einsum('bhqk,bkhd->bqhd', weights, v).flatten(2))


def heads():
    return {name: nn.Linear(4, 4) for name in 'qkvo'}


def layer(batch_first=True, **options):
    return nn.TransformerEncoderLayer(8, 2, 16, batch_first=batch_first, **options)


class Vit(nn.Module):
    """Patches, a class token, positions, one layer."""

    def __init__(self):
        super().__init__()
        self.patch = nn.Conv2d(3, 8, 4, 4)
        self.token, self.place = nn.Parameter(torch.randn(1, 1, 8)), nn.Parameter(torch.randn(1, 5, 8))
        self.layers, self.fc = nn.TransformerEncoder(layer(), 1, enable_nested_tensor=False), nn.Linear(8, 3)

    def forward(self, x):
        x = self.patch(x).flatten(2).transpose(1, 2)
        x = torch.cat([self.token.expand(x.shape[0], -1, -1), x], dim=1) + self.place
        return self.fc(self.layers(x)[:, 0])


def positions(m, x):
    """Words and their places, by arange of the length."""
    places = torch.arange(x.size(1)).unsqueeze(0).expand_as(x)
    return m.fc(m.layers(m.e(x) + m.p(places)).mean(1))


def padded(m, x, mask):
    return m.fc(m.layers(x, src_key_padding_mask=mask)[:, 0])


def transformers():
    stack = lambda **options: nn.TransformerEncoder(layer(**options), 1, enable_nested_tensor=False)
    wide = lambda: torch.randn(3, 5, 8)
    steps = {'input': {1: 'steps'}}
    yield both('transformer', 'encoder', stack, wide, least=14)
    yield both('transformer', 'encoder-steps', stack, wide, dynamic=steps, least=14)
    yield both('transformer', 'encoder-norm-first', lambda: stack(norm_first=True, activation='gelu'), wide, least=14)
    yield both('transformer', 'encoder-two-layers', lambda: Do(lambda m, x: m.fc(m.layers(x).mean(1)), layers=nn.TransformerEncoder(layer(), 2, enable_nested_tensor=False), fc=nn.Linear(8, 2)), wide, least=14)
    yield both('transformer', 'encoder-time-first-inside', lambda: Do(lambda m, x: m.layers(x.transpose(0, 1)).transpose(0, 1), layers=stack(batch_first=False)), wide, least=14)
    yield both('transformer', 'encoder-time-first', lambda: stack(batch_first=False), wide, False, 'axis 0 is time; attention reads all of it', least=14)
    yield both('transformer', 'encoder-padding-mask', lambda: Do(padded, layers=stack(), fc=nn.Linear(8, 2)), lambda: (wide(), torch.tensor([[False] * 4 + [True]] * 3)), names=['input', 'mask'], least=14)
    yield both('transformer', 'encoder-causal-mask', lambda: Do(lambda m, x: m.layers(x, mask=m.mask), layers=stack(), mask=torch.triu(torch.full((5, 5), float('-inf')), 1)), wide, exporters=['script'], least=14)
    yield both('transformer', 'encoder-words', lambda: Do(positions, e=nn.Embedding(30, 8), p=nn.Embedding(16, 8), layers=stack(), fc=nn.Linear(8, 2)), tokens, integers={'input': 29}, least=14)
    yield both('transformer', 'encoder-words-steps', lambda: Do(positions, e=nn.Embedding(30, 8), p=nn.Embedding(16, 8), layers=stack(), fc=nn.Linear(8, 2)), tokens, integers={'input': 29}, dynamic={'input': {1: 'steps'}}, least=14)
    yield both('transformer', 'decoder-layer', lambda: Do(lambda m, x, y: m.layers(x, y), layers=nn.TransformerDecoderLayer(8, 2, 16, batch_first=True)), lambda: (wide(), torch.randn(3, 4, 8)), names=['input', 'memory'], least=14)
    yield both('transformer', 'multihead', lambda: Do(lambda m, x: m.a(x, x, x, need_weights=False)[0], a=nn.MultiheadAttention(8, 2, batch_first=True)), wide, least=14)
    yield both('transformer', 'multihead-weights', lambda: Do(lambda m, x: m.a(x, x, x), a=nn.MultiheadAttention(8, 2, batch_first=True)), wide, outputs=('output', 'weights'), least=14)
    yield both('transformer', 'view-transpose', lambda: Do(by_hand, **heads()), sequences, dynamic=STEPS)
    yield both('transformer', 'view-transpose-mask', lambda: Do(by_hand, **heads()), lambda: (sequences(), torch.ones(3, 5, dtype=torch.int64)), names=['input', 'mask'],
               dynamic={'input': {1: 'steps'}, 'mask': {1: 'steps'}}, integers={'mask': 1})  # fmt: skip
    yield both('transformer', 'qkv-permute', lambda: Do(qkv, w=nn.Linear(4, 12), o=nn.Linear(4, 4)), sequences, least=14)
    yield both('transformer', 'qkv-permute-steps', lambda: Do(qkv, w=nn.Linear(4, 12), o=nn.Linear(4, 4)), sequences, dynamic=STEPS, least=14)
    yield both('transformer', 'causal', lambda: Do(causal, w=nn.Linear(4, 12), o=nn.Linear(4, 4)), sequences, dynamic=STEPS, least=14)
    yield both('transformer', 'einsum', lambda: Do(einsum, **heads()), sequences, least=14)
    yield both('transformer', 'vit', Vit, lambda: torch.randn(3, 3, 8, 8), least=14)
    yield both('transformer', 'set-pool', lambda: Do(lambda m, x: m.b(F.relu(m.a(x)).sum(1)), a=nn.Linear(4, 6), b=nn.Linear(6, 2)), sequences, dynamic=STEPS)
    yield both('transformer', 'mixer', lambda: Do(lambda m, x: m.n(x + m.a(x.transpose(1, 2)).transpose(1, 2)).mean(1), a=nn.Linear(5, 5), n=nn.LayerNorm(4)), sequences)
    yield both('transformer', 'encoder-fixed', stack, lambda: torch.randn(1, 5, 8), dynamic={}, least=14)


def exports():
    for group in [*recurrent(), *transformers()]:
        yield from group
