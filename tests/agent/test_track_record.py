"""The error rates beside verdicts: counts of calibration runs, summed by claim type, in words."""

from typing import Any

from agent.claims import METHOD_VERSION
from agent.track_record import Record, beside, merged, packaged


def run(**by_type: tuple[dict[str, int], dict[str, int]]) -> dict[str, Any]:
    return {"by_type": {name: {"counts": {"true": t, "false": f}} for name, (t, f) in by_type.items()}}


def test_runs_are_summed_by_type():
    found = merged(
        [
            run(necessity=({"supported": 3}, {"refuted": 4})),
            run(necessity=({"supported": 1, "refuted": 1}, {"supported": 1}), edge=({}, {"refuted": 2})),
        ]
    )
    assert found.runs == 2
    assert found.by_type["necessity"] == Record(
        true={"supported": 4, "refuted": 1}, false={"refuted": 4, "supported": 1}
    )
    assert found.by_type["edge"].false == {"refuted": 2}


def test_the_sentence_states_both_kinds_of_error_with_the_exact_interval():
    said = Record(true={"supported": 9, "refuted": 1}, false={"refuted": 58, "inconclusive": 1}).says()
    assert said == "of 59 false ones 0 supported (95 % interval up to 6.1%); of 10 true ones 9 supported, 1 refuted"


def test_a_type_that_was_never_measured_says_so():
    assert "not measured" in beside("no-such-type")


def test_the_packaged_record_is_of_this_method_and_has_the_main_types():
    known = packaged()
    assert known.method_version == METHOD_VERSION
    assert {"necessity", "localisation", "edge", "head-role", "exact-circuit", "absence"} <= set(known.by_type)
    assert sum(sum(record.false.values()) for record in known.by_type.values()) >= 400
    assert "0 supported" in beside("necessity")
