"""What an edge claim registers: zeroing may stand in for resampling on exactly surveyed models only."""

from agent.predictions import Registration, register
from tests.agent.made import claim, situation


def registered(*, exact: bool) -> Registration:
    place = situation()
    assert place.screen is not None
    place = place.model_copy(update={"screen": place.screen.model_copy(update={"exact": exact})})
    edge = claim(type="edge", components=("a20.h0", "a23.h0"), details={"channel": "q"})
    return register(edge, place)


def rules(registration: Registration) -> dict[str, str]:
    return {one.key: one.rule.kind for one in registration.predictions}


def test_on_a_large_model_only_resampling_can_show_an_edge():
    found = rules(registered(exact=False))
    assert (found["C1"], found["K1"], found["C2"]) == ("effect", "report", "rank")


def test_on_a_small_model_zeroing_can_show_an_edge_too():
    found = rules(registered(exact=True))
    assert found["C1"] == "either"
    assert "C2" not in found


def test_an_edge_is_refuted_only_while_the_whole_input_matters():
    c1 = next(one for one in registered(exact=False).predictions if one.key == "C1")
    assert c1.needs == "W1"
