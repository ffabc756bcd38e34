"""Small real tokenizers, the packaged model, and planted models for the tests of tools."""

import pytest
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from tokenizers.processors import TemplateProcessing
from transformers import AutoTokenizer, PreTrainedTokenizerFast

from tools.models import load_model
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
