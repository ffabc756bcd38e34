"""Small real tokenizers for the tests of tasks: the words given are one token each, all else splits into letters."""

import pytest
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast

from tools.vocab import TokenizerVocab


def word_vocab(words, *, adds_bos=False):
    """A Vocab with these pieces (`" Mary"`, `"When"`, `"."`) and every byte as tokens; `<s>` is its BOS."""
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    pieces = [word.replace(" ", "Ġ") for word in dict.fromkeys(words)]
    scored = [("<unk>", 0.0), *((letter, -9.0) for letter in letters), *((p, -1.0) for p in pieces if len(p) > 1)]
    tokenizer = Tokenizer(models.Unigram(scored, unk_id=0))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, unk_token="<unk>", bos_token="<s>")
    if adds_bos:
        from tokenizers.processors import TemplateProcessing

        tokenizer.post_processor = TemplateProcessing(
            single="<s> $A", special_tokens=[("<s>", fast.convert_tokens_to_ids("<s>"))]
        )
        fast = PreTrainedTokenizerFast(tokenizer_object=fast.backend_tokenizer, unk_token="<unk>", bos_token="<s>")
        fast.backend_tokenizer.post_processor = tokenizer.post_processor
    return TokenizerVocab(fast)


@pytest.fixture
def make_vocab():
    return word_vocab
