"""Cases: pairs, read-outs and splits; and the effects listed in circuit.json come out of plain hooks."""

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from tools.cases import case_task, find_cases, read_case
from tools.component import parse_component
from tools.errors import ExperimentError
from tools.models import load_model
from tools.prompts import NO_FOIL
from tools.task_spec import Draw
from tools.tasks import find_task

CASES = Path(__file__).parents[1] / "data" / "cases"
FOLDERS = [case.folder for case in find_cases(CASES)]


def name_of(folder):
    return f"{folder.parent.name}-decoy" if folder.name == "decoy" else folder.name


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    """Models this small are slower on several threads."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture
def plain():
    return read_case(CASES / "case_100")


def test_thirteen_cases_plain_and_decoy():
    assert len(FOLDERS) == 26


def test_a_prompt_has_a_readout_wherever_the_two_answers_differ(plain):
    prompts = plain.task.as_given()
    example = plain.task._examples[0]
    assert prompts.readouts.take(np.array([0])).position.tolist() == example["diff_positions"]
    for i, listed in enumerate(plain.task._examples):
        assert (prompts.readouts.row == i).sum() == len(listed["diff_positions"])
    assert np.bincount(prompts.readouts.row, weights=prompts.readouts.weight) == pytest.approx(np.ones(200))


def test_numerical_cases_are_read_signed_and_without_foil():
    prompts = read_case(CASES / "case_3").task.as_given()
    assert (prompts.readouts.foil == NO_FOIL).all() and (prompts.readouts.answer == 0).all()
    assert (prompts.readouts.weight < 0).any() and (prompts.readouts.weight > 0).any()


def test_explore_and_confirm_share_no_input(plain):
    ids = {}
    for split in ("explore", "confirm"):
        prompts = plain.task.draw(None, Draw(150, split))
        ids[split] = {t.tobytes() for t in (*prompts.clean_tokens, *prompts.corrupted_tokens)}
    assert len(ids["explore"]) > 100 and not ids["explore"] & ids["confirm"]


def test_a_larger_draw_begins_with_the_smaller_one(plain):
    few, many = plain.task.draw(None, Draw(10, seed=5)), plain.task.draw(None, Draw(300, seed=5))
    assert many.subset(range(10)).sha256 == few.sha256


def test_the_task_is_found_by_spec_for_plain_and_decoy():
    specs = (f"case:{CASES / 'case_18'}", f"case:{CASES / 'case_18' / 'decoy'}")
    assert len({find_task(spec).info.version for spec in specs}) == 1


def test_a_missing_file_is_named(tmp_path):
    shutil.copytree(CASES / "case_20", tmp_path / "case_20")
    (tmp_path / "case_20" / "circuit.json").unlink()
    with pytest.raises(ExperimentError, match=r"circuit\.json is missing"):
        read_case(tmp_path / "case_20")
    with pytest.raises(ExperimentError, match=r"task\.json is missing"):
        case_task(tmp_path)
    with pytest.raises(ExperimentError, match="holds no cases"):
        find_cases(tmp_path / "case_20")


class Bench:
    """A case's model with its own pairs, and one component's output replaced by plain hooks."""

    def __init__(self, folder):
        self.case = read_case(folder)
        self.model = load_model(self.case.spec, models_dir=folder).bridge
        self.prompts = self.case.task.as_given()
        (self.group,) = self.prompts.groups()
        _, self.cache = self.model.run_with_cache(torch.tensor(self.group.corrupted))
        self.clean, self.corrupted = self.logits(self.group.clean), self.logits(self.group.corrupted)

    def logits(self, ids, hooks=()):
        return self.model.run_with_hooks(torch.tensor(ids), fwd_hooks=list(hooks)).detach().numpy()

    def margins(self, logits):
        """Metric per read-out, all read-outs alike: what circuit.json averages."""
        r = self.prompts.readouts
        foils = np.where(r.foil == NO_FOIL, 0.0, logits[r.row, r.position, np.maximum(r.foil, 0)])
        return np.sign(r.weight) * (logits[r.row, r.position, r.answer] - foils)

    def effect(self, name, kind):
        component = parse_component(name)
        head = component.kind == "head"
        hook = f"blocks.{component.layer}.attn.hook_z" if head else f"blocks.{component.layer}.hook_mlp_out"

        def replace(value, hook):
            other = torch.zeros_like(value) if kind == "zero" else self.cache[hook.name]
            if not head:
                return other
            value = value.clone()
            value[:, :, component.index] = other[:, :, component.index]
            return value

        changed = self.logits(self.group.clean, [(hook, replace)])
        gap = self.margins(self.clean).mean() - self.margins(self.corrupted).mean()
        if self.case.task.labels is None:
            moved = np.abs(self.margins(changed) - self.margins(self.clean)).mean()
            return moved / gap
        return (self.margins(self.clean).mean() - self.margins(changed).mean()) / gap


@pytest.mark.parametrize("folder", FOLDERS, ids=name_of)
def test_the_model_gives_the_expected_answers(folder):
    bench = Bench(folder)
    for inputs, logits in zip(
        zip(*bench.case.task.given_pairs, strict=True), (bench.clean, bench.corrupted), strict=True
    ):
        for i, one in enumerate(inputs):
            for position, expected in enumerate(one.expected):
                if expected is None:
                    continue
                if bench.case.task.labels is None:
                    assert logits[i, position, 0] == pytest.approx(expected, abs=2e-3)
                else:
                    assert bench.case.task.labels[logits[i, position].argmax()] == expected


@pytest.mark.parametrize("folder", FOLDERS, ids=name_of)
def test_listed_effects_are_measured_again(folder):
    bench = Bench(folder)
    for name, part in bench.case.components.items():
        for kind in ("resample", "zero"):
            listed = part["ablation_effect"][kind]["norm_effect"]
            assert bench.effect(name, kind) == pytest.approx(listed, abs=0.005), (name, kind)


@pytest.mark.parametrize("folder", FOLDERS, ids=name_of)
def test_inert_members_show_under_zero_and_not_under_resample(folder):
    bench = Bench(folder)
    for name in bench.case.inert:
        assert abs(bench.effect(name, "resample")) < 1e-3 < abs(bench.effect(name, "zero"))
