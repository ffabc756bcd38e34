"""The cross-encoder: its graph gives transformers' numbers, it tells an answer from a passage beside the point, and where it is missing."""

import json
from pathlib import Path

import numpy as np
import onnxruntime
import pytest

from kb.coverage import WholeSignals
from kb.cross_encoder import CHANGES, LIMIT, CrossEncoder, fits
from kb.cross_encoder_graph import PairGraph, changed, write_cross_encoder
from kb.errors import KbError
from kb.evidence import with_odds
from kb.library import Library

CONFIG = {"num_attention_heads": 2, "num_hidden_layers": 2, "hidden_size": 8, "layer_norm_eps": 1e-12}
QUERY = "encoder.layer.1.attention.self.query.weight"


@pytest.fixture(scope="module")
def cross_encoder(minilm_folder):
    return CrossEncoder(minilm_folder)


def small_bert():
    torch = pytest.importorskip("torch")
    from transformers import BertConfig, BertModel

    torch.manual_seed(0)
    config = BertConfig(vocab_size=30, intermediate_size=16, max_position_embeddings=12, **CONFIG)
    return torch, BertModel(config, add_pooling_layer=False).eval()


def test_the_graph_gives_the_numbers_of_transformers(tmp_path):
    torch, bert = small_bert()
    rng = np.random.default_rng(0)
    changes = {
        f"{QUERY}.up": rng.normal(size=(8, 3)),
        f"{QUERY}.down": rng.normal(size=(3, 8)),
        "head.weight": rng.normal(size=(1, 24)),
        "head.bias": np.array([0.5]),
    }
    weights = {name: value.numpy() for name, value in bert.state_dict().items()}
    path = tmp_path / "pair.onnx"
    path.write_bytes(PairGraph(changed(weights, changes), CONFIG).build().SerializeToString())
    with torch.no_grad():
        matrix = bert.encoder.layer[1].attention.self.query.weight
        matrix += torch.tensor(changes[f"{QUERY}.up"] @ changes[f"{QUERY}.down"]).float()
        ids, mask = (
            torch.tensor([[2, 5, 6, 3, 7, 8, 3], [2, 9, 3, 4, 3, 0, 0]]),
            torch.tensor([[1] * 7, [1] * 5 + [0] * 2]),
        )
        segments = torch.tensor([[0, 0, 0, 0, 1, 1, 1], [0, 0, 0, 1, 1, 0, 0]])
        x = bert(input_ids=ids, attention_mask=mask, token_type_ids=segments).last_hidden_state
    first = [x[0, :4].mean(0), x[0, 4:7].mean(0)], [x[1, :3].mean(0), x[1, 3:5].mean(0)]
    joined = np.array([np.concatenate([x[row, 0], *means]) for row, means in enumerate(first)])
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    given = {"ids": ids.numpy(), "mask": mask.numpy(), "segments": segments.numpy()}
    told = session.run(["log_odds"], given)[0]
    np.testing.assert_allclose(told, joined @ changes["head.weight"].T + 0.5, atol=1e-4)


def test_a_change_of_a_weight_that_is_not_there_is_refused():
    with pytest.raises(KbError, match="changes pooler"):
        changed({}, {"pooler.up": np.zeros((1, 1)), "pooler.down": np.zeros((1, 1))})


def test_eight_bits_change_little(minilm_folder, tmp_path, cross_encoder):
    """The quantised model orders pairs as the whole one does."""
    from safetensors.numpy import load_file

    config = json.loads((minilm_folder / "config.json").read_text())
    with np.load(CHANGES, allow_pickle=False) as stored:
        weights = changed(load_file(minilm_folder / "model.safetensors"), dict(stored))
    path = tmp_path / "whole.onnx"
    path.write_bytes(PairGraph(weights, config).build().SerializeToString())
    whole = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    pairs = [(question, passage) for question in ASKED for passage in PASSAGES]
    exact = [whole.run(["log_odds"], cross_encoder.tokens(question, passage))[0][0, 0] for question, passage in pairs]
    quantised = [cross_encoder.log_odds(question, [passage])[0] for question, passage in pairs]
    assert np.corrcoef(exact, quantised)[0, 1] > 0.98


PASSAGES = (
    "Induction head. Definition: An induction head attends to the token after an earlier occurrence of the current token and raises "
    "its logit.",
    "Activation patching. How to: Run the clean and the corrupted prompt, copy one activation from the clean run, and measure how much "
    "of the logit difference comes back.",
    "Sparse autoencoders. Limits: Features may be split or absorbed, and reconstruction leaves an error that matters.",
)
ASKED = (
    "which token does an induction head attend to",
    "how do I measure the effect of copying a clean activation into the corrupted run",
    "what goes wrong with features of sparse autoencoders",
)


@pytest.mark.parametrize("place", range(3))
def test_the_passage_that_answers_has_the_largest_odds(cross_encoder, place):
    assert int(np.argmax(cross_encoder.log_odds(ASKED[place], PASSAGES))) == place


def test_a_detail_that_a_passage_lacks_has_smaller_odds_than_what_it_says(cross_encoder):
    lacking = "how many GPU hours did the induction head experiments cost"
    assert cross_encoder.log_odds(lacking, PASSAGES[:1])[0] < cross_encoder.log_odds(ASKED[0], PASSAGES[:1])[0] - 1


def test_a_passage_read_beside_others_has_the_odds_that_it_has_alone(cross_encoder):
    together = cross_encoder.log_odds(ASKED[0], PASSAGES)
    alone = [cross_encoder.log_odds(ASKED[0], [passage])[0] for passage in PASSAGES]
    np.testing.assert_allclose(together, alone, atol=1e-5)


def test_nothing_to_read_gives_nothing(cross_encoder):
    assert cross_encoder.log_odds("what?", []).shape == (0,)


def test_a_long_passage_is_cut_and_not_refused(cross_encoder):
    assert np.isfinite(cross_encoder.log_odds("word " * 500, ["passage " * 2000])).all()
    assert cross_encoder.tokens("which word", "passage " * 2000)["ids"].shape == (1, LIMIT)


def test_a_question_that_fills_the_limit_alone_is_cut_and_not_refused(cross_encoder):
    assert np.isfinite(cross_encoder.log_odds("(" * 400, PASSAGES)).all()
    assert cross_encoder.tokens("(" * 400, PASSAGES[0])["ids"].shape == (1, LIMIT)


def test_another_embedder_has_no_cross_encoder(tmp_path, minilm_folder, word_embedder):
    from safetensors.numpy import load_file, save_file

    for name in ("config.json", "tokenizer.json"):
        (tmp_path / name).symlink_to(minilm_folder / name)
    weights = load_file(minilm_folder / "model.safetensors")
    save_file({name: value * 1.01 for name, value in weights.items()}, tmp_path / "model.safetensors")
    assert fits(minilm_folder)
    assert not fits(tmp_path)  # the same shape, other weights
    with pytest.raises(KbError, match="packaged MiniLM"):
        CrossEncoder(tmp_path)
    with Library.open(tmp_path / "home", embedder=word_embedder) as library:
        assert library.cross_encoder is None


@pytest.mark.parametrize(("odds", "declined"), [(-12.0, True), (6.0, False)])
def test_a_search_reads_the_passage_that_it_shows_and_heeds_it(tmp_path, minilm, odds, declined):
    class Reader:
        def __init__(self):
            self.read = []

        def log_odds(self, question, passages):
            self.read.append((question, list(passages)))
            return np.full(len(passages), odds, dtype=np.float32)

    with Library.open(tmp_path / "home", embedder=minilm) as library:
        text = "The copy head writes the token that it attends to. It was found in a small model."
        library.add_text(f"# Copy head\n\n{text}", title="Copy head")
        library.cross_encoder = Reader()
        found = library.search("how many weeks did it take to find the copy head")
        first = (found.hits or found.nearest)[0]
    (question, passages), *more = library.cross_encoder.read
    assert question == "how many weeks did it take to find the copy head"
    assert len(passages) == 1 and passages[0].endswith(first.text)
    assert not more
    assert found.declined is declined


def test_a_search_reads_one_passage_of_each_of_its_two_best_documents(tmp_path, minilm):
    class Reader:
        read = ()

        def log_odds(self, question, passages):
            self.read = tuple(passages)
            return np.full(len(passages), 6.0, dtype=np.float32)

    with Library.open(tmp_path / "home", embedder=minilm) as library:
        for name in ("Copy head", "Previous-token head", "Backup head"):
            library.add_text(
                f"# {name}\n\nThe {name.lower()} attends to one token and was found in a small model.", title=name
            )
        library.cross_encoder = reader = Reader()
        hits = library.search("to which token does the copy head attend").hits
    assert len(reader.read) == 2
    assert [passage.split(".")[0] for passage in reader.read] == [hit.title for hit in hits[:2]]


@pytest.mark.parametrize(
    ("odds", "answers", "first", "unread"), [([-2.0, 3.0], 3.0, -2.0, 0.0), ([1.0], 1.0, 1.0, 0.0), ([], 0.0, 0.0, 1.0)]
)
def test_the_best_reading_and_the_first_are_signals(odds, answers, first, unread):
    signals = with_odds(WholeSignals(cosine=0.5), np.array(odds))
    assert (signals.answers, signals.first, signals.unread) == (answers, first, unread)
    assert signals.cosine == 0.5


def test_an_interrupted_conversion_leaves_nothing_half(minilm_folder, tmp_path, monkeypatch):
    for name in ("config.json", "model.safetensors", "tokenizer.json"):
        (tmp_path / name).symlink_to(minilm_folder / name)
    monkeypatch.setattr("kb.cross_encoder_graph.quantize_dynamic", _interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_cross_encoder(tmp_path, CHANGES, tmp_path / "made.onnx")
    assert not list(tmp_path.glob("made*"))


def _interrupted(_whole: Path, quantised: Path, **_rest: object) -> None:
    quantised.write_bytes(b"half")
    raise KeyboardInterrupt
