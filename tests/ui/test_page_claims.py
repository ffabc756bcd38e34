import pytest
from small_court import try_claims


@pytest.fixture
def judged(home):
    return try_claims(home, ("necessity", "23.0"), ("necessity", "5.1"), ("necessity", "20.0"))


def shown(app) -> str:
    return "\n".join(element.value for element in [*app.markdown, *app.subheader, *app.caption, *app.info])


def rows(app) -> list[str]:
    return [b.label.replace("\\", "") for b in app.button if (b.key or "").startswith("open-")]


def test_before_the_first_claim_the_page_says_how_to_make_one(page):
    app = page("claims")
    assert not app.exception
    assert app.title[0].value == "No claims yet"
    assert "circuit-court verify" in app.code[0].value


def test_every_claim_is_listed_with_its_verdict_and_rung(page, judged):
    app = page("claims")
    assert not app.exception
    assert len(rows(app)) == 3
    badges = [m.value for m in app.markdown if "-badge[" in m.value and "rung" in m.value]
    assert sum("green-badge" in badge for badge in badges) == 2  # in the list and as the selected claim
    assert sum("red-badge" in badge for badge in badges) == 2


def test_the_newest_claim_is_open_at_first(page, judged):
    app = page("claims")
    assert "contributes to IOI" in app.subheader[0].value


def test_the_address_decides_which_claim_is_open(page, judged):
    masked = judged[0]
    app = page("claims", claim=masked.claim_id)
    assert "does not cost IOI" in app.subheader[0].value
    assert any("masked by downstream compensation" in info.value for info in app.info)


def test_pressing_a_row_opens_its_claim(page, judged):
    app = page("claims")
    app.button(key=f"open-{judged[0].claim_id}").click().run()
    assert not app.exception
    assert app.query_params["claim"] == judged[0].claim_id
    assert any("masked by downstream" in info.value for info in app.info)


def test_each_prediction_has_a_row_with_expected_and_observed(page, judged):
    app = page("claims", claim=judged[2].claim_id)
    table = app.table[0].value
    assert [p.split("**")[1] for p in table["prediction"]] == ["C1", "C2", "C3", "K1"]
    assert table["observed"].iloc[0].startswith("0.3")
    assert "at least 0.05" in table["expected"].iloc[0].replace("\\", "")


def test_the_numbers_of_the_map_and_of_the_controls_stand_beside_the_charts(page, judged):
    app = page("claims", claim=judged[2].claim_id)
    heads, controls = app.dataframe[0].value, app.dataframe[1].value
    assert len(heads) == 270
    assert heads.iloc[0]["component"] == "a20.h0"
    assert len(controls) == 39


def test_filters_narrow_the_list(page, judged):
    app = page("claims")
    app.text_input[0].set_value("a5.h1").run()
    assert rows(app) == ["head a5.h1 is necessary for IOI"]
    app.text_input[0].set_value("").run()
    app.button_group[0].set_value(["refuted"]).run()
    assert len(rows(app)) == 2


def test_an_unknown_claim_is_one_sentence(page, judged):
    app = page("claims", claim="c000")
    assert not app.exception
    assert "There is no claim" in app.error[0].value


def test_registration_and_provenance_are_told(page, judged):
    app = page("claims", claim=judged[2].claim_id)
    record = "\n".join(str(table.value.to_string()) for table in app.table)
    assert judged[2].prereg_hash in record.replace("\\", "")


def test_a_bundle_of_the_claim_can_be_taken_along(page, judged):
    app = page("claims", claim=judged[2].claim_id)
    next(b for b in app.button if b.label == "Take along").click().run()
    assert not app.exception
    kept = app.session_state[f"taken-{judged[2].claim_id}"]
    assert list(kept) == [f"{judged[2].claim_id[:12]}.zip"]
    assert kept[f"{judged[2].claim_id[:12]}.zip"][:2] == b"PK"
