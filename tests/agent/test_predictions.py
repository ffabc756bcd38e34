"""Registrations: hashes, seeds, near misses, shares of alpha."""

import pytest

from agent.claims import Claim
from agent.errors import ClaimError
from agent.predictions import Registration, check_near_misses, register
from agent.situation import matched_controls
from tests.agent.made import claim, registration, situation
from tools.component import parse_component


def test_the_confirm_seed_is_the_head_of_the_hash():
    record = registration()
    assert record.confirm_seed == int(record.prereg_hash[:8], 16)


def test_the_same_claim_in_the_same_situation_has_the_same_hash():
    assert registration().prereg_hash == registration(said="17.4, please").prereg_hash


def test_another_claim_gets_other_prompts():
    assert registration("a17.h4").confirm_seed != registration("a20.h0").confirm_seed


def test_a_registration_survives_json():
    record = registration()
    assert Registration.model_validate(record.model_dump(mode="json")).prereg_hash == record.prereg_hash


def test_critical_predictions_run_on_confirm_prompts_at_two_looks():
    first = registration().critical()[0]
    calls = [first.call(look, 7) for look in (1, 2)]
    assert [(c["split"], c["seed"], c["n"]) for c in calls] == [("confirm", 7, 32), ("confirm", 7, 128)]


def test_an_undiscriminating_set_of_predictions_is_refused():
    predictions = registration().predictions
    with pytest.raises(ClaimError, match="near miss 'wrong_role'"):
        check_near_misses(predictions, {"wrong_layer": ["C1"], "wrong_role": []})


def test_a_near_miss_needs_a_critical_prediction_not_a_corroborating_one():
    with pytest.raises(ClaimError, match="wrong_layer"):
        check_near_misses(registration().predictions, {"wrong_layer": ["K1"]})


def test_a_revision_has_half_the_alpha():
    revised = registration(revision=1, parent_id="c0")
    assert [look.alpha for look in revised.critical()[0].looks] == [0.002, 0.003]
    assert revised.alpha == 0.005


def test_key_wording_asks_for_more():
    rule = registration(strength="key").critical()[0].rule
    assert (getattr(rule, "delta0", None), getattr(rule, "delta1", None)) == (0.02, 0.10)


def test_the_models_own_floor_raises_but_never_lowers_delta1():
    given = situation()
    assert given.screen is not None
    noisy = given.model_copy(update={"screen": given.screen.model_copy(update={"delta1": 0.08})})
    rules = {key: register(claim(), where).critical()[0].rule for key, where in [("usual", given), ("noisy", noisy)]}
    assert {key: getattr(rule, "delta1", None) for key, rule in rules.items()} == {"usual": 0.05, "noisy": 0.08}


def test_what_the_proposer_saw_is_disclosed():
    assert registration().seen_by_proposer == [
        "explore: behaviour gate (r0)",
        "explore: AtP and IG ranks of all components, n = 32 (r1)",
    ]


def test_controls_are_near_unnominated_and_reproducible():
    where = situation(nominated={"a19.h2": 0.2, "a21.h1": 0.003})
    controls = matched_controls("a20.h0", where)
    assert len(controls) == len(set(controls)) == 39
    assert {abs(parse_component(name).layer - 20) <= 4 for name in controls} == {True}
    assert not {"a20.h0", "a19.h2", "a21.h1"} & set(controls)
    assert controls == matched_controls("a20.h0", where)


def test_small_models_use_every_component_that_was_not_nominated():
    where = situation(layers=2, heads=2, nominated={"a0.h0": 1.0})
    assert sorted(matched_controls("a1.h0", where)) == ["a0.h1", "a1.h1", "m0", "m1"]


def test_two_spellings_are_one_claim():
    assert claim("20.0").claim_id == claim("L20H0").claim_id


def test_any_field_makes_another_claim():
    ids = {claim(**fields).claim_id for fields in ({}, {"strength": "key"}, {"direction": "hurts"}, {"model": "x"})}
    assert len(ids) == 4


def test_an_unknown_type_is_refused_with_the_list():
    with pytest.raises(ClaimError, match=r"there are: .*necessity"):
        _ = Claim(type="vibes", model="m", task="ioi", components=("1.1",)).kind
