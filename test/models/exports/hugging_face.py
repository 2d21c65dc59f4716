"""Tiny architectures of transformers, of random weights."""

import torch
import transformers
from torch import nn

from torch_export import both

WORDS, STEPS = 40, {0: 'batch', 1: 'steps'}
SIZES = {
    'vocab_size': WORDS, 'hidden_size': 8, 'num_hidden_layers': 1, 'num_attention_heads': 2, 'intermediate_size': 12, 'max_position_embeddings': 16,
    'attn_implementation': 'eager', 'pad_token_id': 0,
}  # fmt: skip


class Named(nn.Module):
    """A model of transformers by position: its tensors of the names in, the outputs of the names out."""

    def __init__(self, model, names, wanted, **fixed):
        super().__init__()
        self.model, self.names, self.wanted, self.fixed = model, names, wanted, fixed

    def ask(self, *tensors):
        found = self.model(**dict(zip(self.names, tensors)), **self.fixed)
        return tuple(getattr(found, name) for name in self.wanted)


class One(Named):
    def forward(self, a):
        return self.ask(a)


class Two(Named):
    def forward(self, a, b):
        return self.ask(a, b)


class Three(Named):
    def forward(self, a, b, c):
        return self.ask(a, b, c)


def ids():
    return torch.randint(2, WORDS, (3, 5))


def words(name, build, names=('input_ids', 'attention_mask'), outputs=('logits',), integers=None, **more):
    """A model of words; all inputs have open steps."""
    example = {'input_ids': ids, 'attention_mask': lambda: torch.ones(3, 5, dtype=torch.int64), 'token_type_ids': lambda: torch.zeros(3, 5, dtype=torch.int64)}
    wrap = {1: One, 2: Two, 3: Three}[len(names)]
    # Row 0 of the words is the padding's.
    largest = {'input_ids': WORDS - 1, 'attention_mask': 1, 'token_type_ids': 1, **(integers or {})}
    return both(
        'hugging-face', name, lambda: wrap(build(), names, outputs), lambda: tuple(example[key]() for key in names), names=list(names), outputs=outputs,
        dynamic={key: {1: 'steps'} for key in names}, integers={key: largest[key] for key in names}, least=14, **more,
    )  # fmt: skip


def images(name, build, wanted=('logits',), **more):
    return both('hugging-face', name, lambda: One(build(), ['pixel_values'], wanted), lambda: torch.randn(3, 3, 16, 16), names=['pixel_values'], outputs=wanted, least=14, **more)


def configured(kind, config, **changes):
    def build():
        settings = {**SIZES, **changes}
        return kind(config(**{key: value for key, value in settings.items() if value is not None}))

    return build


def exports():
    t, three = transformers, ('input_ids', 'attention_mask', 'token_type_ids')
    hidden = ('last_hidden_state',)
    groups = [
        words('bert', configured(t.BertModel, t.BertConfig), three, ('last_hidden_state', 'pooler_output')),
        words('bert-classifier', configured(t.BertForSequenceClassification, t.BertConfig), three),
        words('bert-sdpa', configured(t.BertForSequenceClassification, t.BertConfig, attn_implementation='sdpa'), three),
        words('bert-tokens', configured(t.BertForTokenClassification, t.BertConfig), exporters=['script']),
        words('bert-no-mask', configured(t.BertForSequenceClassification, t.BertConfig), ('input_ids',), exporters=['script']),
        words('distilbert', configured(t.DistilBertForSequenceClassification, t.DistilBertConfig, dim=8, n_layers=1, n_heads=2, hidden_dim=12)),
        words('roberta', configured(t.RobertaForSequenceClassification, t.RobertaConfig, pad_token_id=1, max_position_embeddings=20)),
        words('electra', configured(t.ElectraForSequenceClassification, t.ElectraConfig, embedding_size=8), three, exporters=['script']),
        words('albert', configured(t.AlbertForSequenceClassification, t.AlbertConfig, embedding_size=8), three, exporters=['dynamo']),
        words('mpnet', configured(t.MPNetModel, t.MPNetConfig, pad_token_id=1, max_position_embeddings=20), outputs=hidden, exporters=['dynamo']),
        words('deberta', configured(t.DebertaV2ForSequenceClassification, t.DebertaV2Config), exporters=['dynamo']),
        words('gpt2', configured(t.GPT2LMHeadModel, t.GPT2Config, n_embd=8, n_layer=1, n_head=2, n_positions=16, use_cache=False)),
        words('gpt2-classifier', configured(t.GPT2ForSequenceClassification, t.GPT2Config, n_embd=8, n_layer=1, n_head=2, n_positions=16, use_cache=False), exporters=['dynamo']),
        words('llama', configured(t.LlamaForCausalLM, t.LlamaConfig, num_key_value_heads=1, use_cache=False)),
        words('t5-encoder', configured(t.T5EncoderModel, t.T5Config, d_model=8, d_kv=4, d_ff=12, num_layers=1, num_heads=2), outputs=hidden),
        images('vit', configured(t.ViTForImageClassification, t.ViTConfig, image_size=16, patch_size=8, vocab_size=None)),
        images('resnet', lambda: t.ResNetForImageClassification(t.ResNetConfig(embedding_size=4, hidden_sizes=[4, 8], depths=[1, 1], layer_type='basic'))),
        images('convnext', lambda: t.ConvNextForImageClassification(t.ConvNextConfig(hidden_sizes=[4, 8], depths=[1, 1], num_stages=2, patch_size=4))),
        images('segformer', lambda: t.SegformerForImageClassification(t.SegformerConfig(
            num_encoder_blocks=1, depths=[1], sr_ratios=[1], hidden_sizes=[8], patch_sizes=[3], strides=[4], num_attention_heads=[2], mlp_ratios=[2], decoder_hidden_size=8))),
        images('swin', lambda: t.SwinForImageClassification(t.SwinConfig(image_size=16, patch_size=4, embed_dim=8, depths=[1], num_heads=[2], window_size=2)), exporters=['dynamo']),
        images('clip-vision', configured(t.CLIPVisionModel, t.CLIPVisionConfig, image_size=16, patch_size=8, vocab_size=None), ('pooler_output',)),
    ]  # fmt: skip
    for group in groups:
        yield from group
