"""Small real tokenizers, the packaged model, and planted models for the tests of tools."""

import numpy as np
import pytest
import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from tokenizers.processors import TemplateProcessing
from transformers import (
    AutoModelForCausalLM,
    AutoTokenizer,
    GPT2Config,
    GPTNeoXConfig,
    LlamaConfig,
    OPTConfig,
    PreTrainedTokenizerFast,
    Qwen3Config,
)

from tools.experiment import Lab
from tools.models import load_model
from tools.prompts import Prompts, single_readouts
from tools.vocab import TokenizerVocab
from ui.settings import load as load_settings


def word_vocab(words, *, adds_bos=False):
    """A Vocab with these pieces (`" Mary"`, `"When"`, `"."`) and every byte as tokens; `<s>` is its BOS.

    Other words split into letters.
    """
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    pieces = [word.replace(" ", "Ġ") for word in dict.fromkeys(words)]
    scored = [("<unk>", 0.0), *((letter, -9.0) for letter in letters), *((p, -1.0) for p in pieces if len(p) > 1)]
    tokenizer = Tokenizer(models.Unigram(scored, unk_id=0))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, unk_token="<unk>", bos_token="<s>")
    if adds_bos:
        tokenizer.post_processor = TemplateProcessing(
            single="<s> $A", special_tokens=[("<s>", fast.convert_tokens_to_ids("<s>"))]
        )
        fast = PreTrainedTokenizerFast(tokenizer_object=fast.backend_tokenizer, unk_token="<unk>", bos_token="<s>")
        fast.backend_tokenizer.post_processor = tokenizer.post_processor
    return TokenizerVocab(fast)


@pytest.fixture
def make_vocab():
    return word_vocab


@pytest.fixture(scope="session")
def smollm2_vocab():
    """The packaged model's own tokenizer."""
    folder = load_settings().models_dir / "SmolLM2-135M-Instruct" / "safetensors"
    return TokenizerVocab(AutoTokenizer.from_pretrained(folder))


@pytest.fixture(scope="session")
def smollm2():
    """The packaged model, loaded once for all tests that ask for it."""
    return load_model("smollm2", models_dir=load_settings().models_dir)


TINY = {"vocab_size": 60, "num_hidden_layers": 3, "num_attention_heads": 4, "hidden_size": 32}


def tiny_hf(family):
    """A small random Hugging Face model of a family, its weights large enough that everything matters."""
    wide = {**TINY, "intermediate_size": 48}
    ends = {"bos_token_id": None, "eos_token_id": None}
    configs = {
        "llama": lambda: LlamaConfig(**wide, num_key_value_heads=2, **ends),
        "qwen3": lambda: Qwen3Config(**wide, num_key_value_heads=2, head_dim=8, **ends),
        "gpt2": lambda: GPT2Config(vocab_size=60, n_layer=3, n_head=4, n_embd=32, **ends),
        "neox": lambda: GPTNeoXConfig(**wide, use_parallel_residual=True, **ends),
        "opt": lambda: OPTConfig(
            vocab_size=60, num_hidden_layers=3, num_attention_heads=4, hidden_size=32, ffn_dim=48,
            word_embed_proj_dim=32, max_position_embeddings=64, **ends,
        ),
    }  # fmt: skip
    torch.manual_seed(0)
    model = AutoModelForCausalLM.from_config(configs[family](), attn_implementation="eager").eval()
    for parameter in model.parameters():
        parameter.data += 0.25 * torch.randn_like(parameter)
    return model


@pytest.fixture(scope="session")
def tiny(tmp_path_factory):
    """`tiny("llama")`: a small random model loaded like any local folder; the same one each time."""
    loaded = {}

    def load(family):
        if family not in loaded:
            folder = tmp_path_factory.mktemp(family)
            tiny_hf(family).save_pretrained(folder)
            loaded[family] = load_model(str(folder), models_dir=folder)
        return loaded[family]

    return load


@pytest.fixture
def pairs():
    """`pairs(n=6)`: prompts in token ids below 60, of two lengths, the first two tokens shared within a pair."""

    def make(n=6, seed=0, lengths=(7, 9)):
        rng = np.random.default_rng(seed)
        sizes = [lengths[i % len(lengths)] for i in range(n)]
        clean = tuple(rng.integers(0, 60, size).astype(np.int64) for size in sizes)
        corrupted = tuple(np.concatenate([c[:2], rng.integers(0, 60, len(c) - 2)]).astype(np.int64) for c in clean)
        end = np.array([size - 1 for size in sizes], np.int64)
        answer = rng.integers(0, 30, n).astype(np.int64)
        return Prompts(
            task="pairs", task_version="1", corruption="random", split="explore", seed=seed,
            clean_tokens=clean, corrupted_tokens=corrupted, template=tuple(f"length-{s}" for s in sizes),
            order=("",) * n, positions={"END": end, "MID": end - 3}, readouts=single_readouts(end, answer, answer + 30),
        )  # fmt: skip

    return make


@pytest.fixture(scope="session")
def lab():
    """`lab("planted:induction")`: a lab with that model, each loaded once."""
    labs = {}

    def make(spec):
        if spec not in labs:
            labs[spec] = Lab(model=load_model(spec, models_dir=load_settings().models_dir))
        return labs[spec]

    return make
