"""Every packaged task is found by name, says what it is for, and draws with SmolLM2's own tokenizer."""

from pathlib import Path

import pytest
import yaml

from tools.errors import ExperimentError
from tools.planted import planted_models
from tools.task_spec import Draw
from tools.tasks import find_task, load_task_file, packaged_tasks

ROOT = Path(__file__).parents[2]
NAMES = [
    "acronyms",
    "antonyms",
    "capitals",
    "copy-suppression",
    "docstring",
    "gendered-pronoun",
    "greater-than",
    "induction",
    "ioi",
    "plurals",
    "subject-verb-agreement",
    "successor",
]


def test_twelve_tasks_come_along():
    assert list(packaged_tasks()) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_each_task_is_described_and_cites_known_entries(name):
    info = find_task(name).info
    facts = yaml.safe_load((ROOT / "kb" / "starter" / "facts.yaml").read_text(encoding="utf-8"))
    keys = {entry["key"] for entry in (facts if isinstance(facts, list) else facts["entries"])}
    assert info.title and info.description and info.literature_says
    assert set(info.literature) <= keys


def test_planted_tasks_are_found_by_name():
    for name in planted_models():
        assert find_task(f"planted-{name}").info.name == f"planted-{name}"


def test_an_unknown_task_is_answered_with_the_nearest():
    with pytest.raises(ExperimentError, match=r"did you mean .*ioi"):
        find_task("ioii")


def test_a_missing_task_file_is_an_error():
    with pytest.raises(ExperimentError, match="there is no task file"):
        find_task("/nowhere/my.yaml")


def test_a_file_that_is_no_yaml_is_an_error(tmp_path):
    path = tmp_path / "bad.yaml"
    path.write_text("name: [unclosed", encoding="utf-8")
    with pytest.raises(ExperimentError, match="cannot be read as YAML"):
        load_task_file(path)


def test_text_tasks_need_a_tokenizer():
    with pytest.raises(ExperimentError, match="no tokenizer"):
        find_task("ioi").draw(None, Draw(2))


@pytest.mark.smollm2
@pytest.mark.parametrize("name", NAMES)
def test_each_task_draws_both_splits_with_the_packaged_tokenizer(name, smollm2_vocab):
    task = find_task(name)
    texts = {}
    for split in ("explore", "confirm"):
        prompts = task.draw(smollm2_vocab, Draw(64, split))
        assert len(prompts) == 64 and not set(prompts.answer if prompts.single_readout else []) & {-1}
        texts[split] = {t.tobytes() for t in (*prompts.clean_tokens, *prompts.corrupted_tokens)}
    assert not texts["explore"] & texts["confirm"]


@pytest.mark.smollm2
def test_ioi_names_are_single_tokens_for_smollm2(smollm2_vocab):
    prompts = find_task("ioi").draw(smollm2_vocab, Draw(64))
    assert prompts.bos is None and prompts.notes == ()
    for i in range(64):
        assert smollm2_vocab.text(int(prompts.clean_tokens[i][prompts.position("IO")[i]])) in prompts.texts[i]
