"""What holds for each registered experiment: a cost beforehand, progress on the way, a stop in the middle."""

import pytest

from tools.costs import Cost, spoken_seconds
from tools.errors import CancelledError, ExperimentError
from tools.experiment import Lab, experiments
from ui.figures_result import Numbers, figures_of
from ui.palette import LIGHT

N = 12
CIRCUIT = {"components": ["a0.h0", "a1.h0", "a1.h2"]}
CALLS = {
    "activation-patching": {"site": "z"},
    "assay": {},
    "attention-pattern": {},
    "attention-targets": {"component": "a0.h0", "target": "previous"},
    "attribution-patching": {},
    "behaviour": {},
    "circuit-curve": {"ranking": "harm", "n_random": 3},
    "circuit-discovery": {},
    "circuit-evaluation": {**CIRCUIT, "n_random": 20, "n_random_any": 10},
    "circuit-tests": {**CIRCUIT, "n_random": 20, "permutations": 99},
    "composition": {"receiver": "a2.h0"},
    "copy-score": {},
    "cost": {"experiment": "circuit-evaluation", "parameters": {"n": 64, **CIRCUIT}},
    "direct-logit-attribution": {},
    "direction-patching": {"component": "resid2@END", "steps": 12, "n_permuted": 1, "n_train": 16},
    "edge-attribution": {},
    "head-ablation": {},
    "head-patching": {},
    "head-scores": {},
    "interchange": {},
    "linear-probe": {"n": 32, "n_train": 64, "shuffles": 19, "target": "template", "layer": 1},
    "logit-lens": {},
    "mediation": {"senders": ["a0.h0"]},
    "path-patching": {"receiver": "a1.h0<k>"},
    "predictions": {},
    "screen": {},
    "written-values": {"component": "a0.h0", "value": "token"},
}


def call(name, lab):
    """The experiment and its parameters on a planted model."""
    found = experiments()[name]
    given = CALLS[name]
    if "task" in found.params.model_fields:
        given = {"task": "planted-induction", "n": N, **given}
    return found, found.params(**given)


class Watch:
    """A lab of the same model that counts reports and asks to stop after some."""

    def __init__(self, lab, stop_after=None):
        self.reports, self.stop_after = [], stop_after
        self.lab = Lab(lab.model, progress=lambda done, text: self.reports.append((done, text)), cancelled=self.stopped)

    def stopped(self):
        return self.stop_after is not None and len(self.reports) >= self.stop_after


def test_every_experiment_is_tried_here():
    assert set(CALLS) == set(experiments())


@pytest.mark.parametrize("name", sorted(CALLS))
def test_an_experiment_tells_its_cost_reports_progress_can_be_stopped_and_has_a_figure(lab, name):
    found, params = call(name, lab)
    watch = Watch(lab("planted:induction"))
    result = found.run(watch.lab, params)
    assert "forward passes" in watch.reports[0][1] and watch.reports[0][0] == 0.0
    assert len(watch.reports) >= 3 and all(0 <= done <= 1 and text for done, text in watch.reports)
    drawn = figures_of(result, LIGHT)
    assert drawn and all(says and len(figure.data) for says, figure in drawn)
    assert [says for says, _ in drawn] != [Numbers().says] or name in ("cost", "assay"), "only its estimates are drawn"
    made, expected = result.provenance.forward_passes, found.cost(params, watch.lab.model)
    assert expected.work <= 1.6 * expected.passes
    if made:
        assert 0.3 <= expected.passes / made <= 3.5, (expected.passes, made)
    stopping = Watch(lab("planted:induction"), stop_after=2)
    with pytest.raises(CancelledError, match="stopped on request"):
        found.run(stopping.lab, params)


def test_later_experiments_know_how_fast_the_machine_was(lab):
    model = lab("planted:induction").model
    model.note_pace(1000.0, 5.0)
    assert model.seconds_per_pass == pytest.approx(0.005)
    model.note_pace(3.0, 5.0)  # too few to tell
    assert model.seconds_per_pass == pytest.approx(0.005)


def test_costs_are_said_in_words():
    assert Cost(12_345, 1).says(200) == "about 12,345 forward passes, 3 min"
    assert (spoken_seconds(0.2), spoken_seconds(9000)) == ("1 s", "2.5 h")
    assert Cost(1, 2) + Cost(3, 4) == Cost(4, 6)


def test_a_cost_is_estimated_without_running(lab):
    found, params = call("cost", lab)
    result = found.run(lab("planted:induction"), params)
    assert result.estimate("forward_passes").value > 1000 and result.estimate("seconds").value > 0
    assert result.provenance.forward_passes == 0


def test_the_cost_of_wrong_parameters_is_refused(lab):
    found = experiments()["cost"]
    with pytest.raises(ExperimentError, match="head-ablation cannot run with these parameters"):
        found.run(lab("planted:induction"), found.params(experiment="head-ablation", parameters={"n": 0}))
