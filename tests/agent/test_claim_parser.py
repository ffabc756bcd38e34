"""Sentences to claims, English and Korean; what is ambiguous asks back, what is untestable says why."""

import subprocess
import sys

import pytest

from agent.claim_parser import Shape, parse_claim
from agent.claim_parser_task import known_tasks
from agent.claims import Claim
from agent.errors import ClaimError


def read(text: str) -> Claim:
    return parse_claim(
        text, model="smollm2", task="ioi", shape=Shape(30, 9), tasks=["ioi", "greater-than", "induction"]
    )


@pytest.mark.parametrize(
    ("text", "component"),
    [
        ("head 20.0 is necessary for IOI", "a20.h0"),
        ("17.4", "a17.h4"),
        ("L20H0 matters", "a20.h0"),
        ("is head 20.0 necessary for IOI?", "a20.h0"),
        ("Is L17H4 needed for the IOI task?", "a17.h4"),
        ("without head 17.4 the model could not do IOI", "a17.h4"),
        ("removing 20.0 breaks IOI", "a20.h0"),
        ("does ablating head 0 of layer 20 hurt IOI?", "a20.h0"),
        ("blocks.5.attn.hook_z[1] is required for IOI", "a5.h1"),
        ("the model relies on MLP 3 for IOI", "m3"),
        ("헤드 20.0은 IOI에 필요하다", "a20.h0"),
        ("20층 0번 헤드를 제거하면 IOI 성능이 떨어진다", "a20.h0"),
        ("레이어 17 헤드 4는 IOI에 필요한가?", "a17.h4"),
        ("MLP 3은 IOI에 필요하다", "m3"),
        ("L20H0은 IOI에 필요하다", "a20.h0"),
    ],
)
def test_necessity(text: str, component: str):
    claim = read(text)
    assert (claim.type, claim.components, claim.direction) == ("necessity", (component,), "helps")
    assert (claim.strength, claim.task) == ("plain", "ioi")


@pytest.mark.parametrize(
    ("text", "strength"),
    [
        ("head 20.0 is a key head for IOI", "key"),
        ("20.0 is important for IOI", "key"),
        ("헤드 20.0은 IOI의 핵심이다", "key"),
        ("head 8.1 contributes slightly to IOI", "minor"),
        ("헤드 8.1은 IOI에 약간 기여한다", "minor"),
    ],
)
def test_wording_strength(text: str, strength: str):
    assert read(text).strength == strength


@pytest.mark.parametrize(
    "text",
    [
        "removing 24.4 improves IOI",
        "IOI gets better when head 24.4 is removed",
        "24.4 hurts IOI",
        "L24H4 holds back IOI",
        "헤드 24.4를 제거하면 IOI가 좋아진다",
        "헤드 24.4는 IOI를 방해한다",
    ],
)
def test_components_that_hold_back(text: str):
    claim = read(text)
    assert (claim.type, claim.components, claim.direction) == ("necessity", ("a24.h4",), "hurts")


@pytest.mark.parametrize(
    ("text", "component", "localised"),
    [
        ("patching a23.h0 restores IOI", "a23.h0", False),
        ("head 23.0 is sufficient for IOI", "a23.h0", False),
        ("IOI is localised in head 23.3", "a23.h3", True),
        ("patching resid20@END from clean restores IOI", "resid20@END", False),
        ("헤드 23.3을 패치하면 IOI가 복원된다", "a23.h3", False),
        ("IOI는 헤드 23.3에 국소화되어 있다", "a23.h3", True),
    ],
)
def test_localisation(text: str, component: str, localised: bool):
    claim = read(text)
    assert (claim.type, claim.components) == ("localisation", (component,))
    assert bool(claim.details.get("localised")) is localised


def test_a_named_task_wins_over_the_default():
    assert read("head 20.0 is necessary for greater-than").task == "greater-than"
    assert read("head 20.0 is necessary for the greater than task").task == "greater-than"


def test_the_output_means_the_default_task():
    assert read("Head 20.0 is necessary for the output.").task == "ioi"


def test_the_words_are_kept_beside_the_claim():
    assert read("17.4").said == "17.4"
    assert read("17.4").text == "head a17.h4 is necessary for IOI"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "claim is empty"),
        ("head 20 matters for IOI", "Name a head as 20.0"),
        ("layer 20 is key", "Which component of layer 20"),
        ("IOI is hard", "Which component is this about"),
        ("heads 20.0 and 17.4 are necessary", "one at a time"),
        ("20.0 is necessary and sufficient", "two claims, necessity and sufficiency"),
        ("head 20.0 is beautiful", "cannot tell what"),
        ("head 20.0 is necessary for chess", "No task is called 'chess'"),
        ("head 20.0 is necessary for inductio", "did you mean induction"),
        ("head 30.0 is necessary for IOI", "layers 0 to 29"),
        ("head 20.9 is necessary for IOI", "heads 0 to 8"),
        ("GPT-2's head 9.9 is necessary for IOI", "choose that model with --model"),
        ("head 20.0 is necessary in all language models", "models in general"),
        ("MLP 3.17 matters", "Write an MLP as m3"),
        ("the model is conscious", "Not testable here"),
        ("patching 20.0 does not restore IOI", "comes out refuted"),
        ("head 20.0 is the only head needed for IOI", "every other component"),
    ],
)
def test_what_cannot_be_tried_says_why(text: str, says: str):
    with pytest.raises(ClaimError, match=says):
        read(text)


def test_quantities_are_no_heads():
    assert read("removing head 20.0 costs at least 0.3 of IOI").components == ("a20.h0",)


@pytest.mark.parametrize(
    ("text", "details"),
    [
        ("head 5.1 is not needed for IOI", {}),
        ("L5H1 plays no part in IOI", {}),
        ("Head 1.0 can be ablated without changing any answer.", {"everywhere": True}),
        (
            "MLP 0 is dead weight: even zeroing its output leaves every answer unchanged.",
            {"everywhere": True, "interventions": ["zero"]},
        ),
        ("헤드 5.1은 IOI에 필요하지 않다", {}),
        ("헤드 5.1은 IOI에 영향을 주지 않는다", {}),
    ],
)
def test_absence(text: str, details: dict[str, object]):
    claim = read(text)
    assert (claim.type, claim.details) == ("absence", details)


@pytest.mark.parametrize(
    ("text", "intervention"),
    [
        ("Zeroing MLP 0's output changes some answers.", "zero"),
        ("The answers depend on Head 1.0: giving it its activations from another input changes them.", "resample"),
        ("Without Head 1.0 the model could not give its answers.", None),
    ],
)
def test_named_interventions(text: str, intervention: str | None):
    claim = read(text)
    assert (claim.type, claim.details.get("intervention")) == ("necessity", intervention)


def test_a_group_is_claimed_together():
    claim = read("heads 23.0, 23.1 and 23.2 are together necessary for IOI")
    assert (claim.type, claim.components) == ("group-necessity", ("a23.h0", "a23.h1", "a23.h2"))


@pytest.mark.parametrize(
    "text",
    [
        "20.0 matters more than 5.1 for IOI",
        "head 5.1 matters less than head 20.0",
        "헤드 20.0은 헤드 5.1보다 더 중요하다",
    ],
)
def test_comparison(text: str):
    claim = read(text)
    assert (claim.type, claim.components) == ("comparison", ("a20.h0", "a5.h1"))


def test_an_exact_circuit():
    claim = read("The circuit consists of exactly these components: Head 0.0, MLP 0, Head 3.0.")
    assert (claim.type, claim.components) == ("exact-circuit", ("a0.h0", "m0", "a3.h0"))


@pytest.mark.parametrize(
    "text", ["Head 0.0 attends to positions where the check passed.", "Role of MLP 0: adds one to the count."]
)
def test_a_role_is_never_taken_for_something_else(text: str):
    with pytest.raises(ClaimError, match="no test for that role"):
        read(text)


@pytest.mark.parametrize(
    ("text", "role", "task"),
    [
        ("head 23.0 is a name mover for IOI", "name-mover", "ioi"),
        ("is 23.0 a name-mover head?", "name-mover", "ioi"),
        ("L20H0 is an S-inhibition head", "s-inhibition", "ioi"),
        ("head 24.4 is a negative name mover", "negative-name-mover", "ioi"),
        ("18.6 is an induction head", "induction", "induction"),
        ("18.6 is an induction head for IOI", "induction", "ioi"),
        ("헤드 23.0은 네임 무버 헤드다", "name-mover", "ioi"),
    ],
)
def test_roles_of_the_literature(text: str, role: str, task: str):
    claim = read(text)
    assert (claim.type, claim.details, claim.task) == ("head-role", {"role": role}, task)


@pytest.mark.parametrize(
    ("text", "target", "carries"),
    [
        ("Head 0.0 copies the previous token.", "previous", "token"),
        ("head 0.0 copies the token two positions to the left", "offset:-2", "token"),
        ("Head 1.0 copies the first number to every position.", "first", "token"),
        ("Head 2.1 copies the second-to-last number to every position.", "second-last", "token"),
        ("Head 3.0 copies the token found at the mirrored index.", "mirror", "token"),
        ("Head 0.0 attends to positions holding a larger number than the query's, plus BOS.", "larger+bos", "nothing"),
        ("Head 0.0 attends to positions holding a smaller number than the query's.", "smaller", "nothing"),
        ("Head 1.0 counts positions whose number is repeated somewhere.", "repeated+bos", "count"),
        ("Head 0.1 measures the sequence length.", "all+bos", "count"),
        ("Head 1.0 averages a flag over the current and all earlier positions.", "prefix", "average"),
    ],
)
def test_roles_by_target(text: str, target: str, carries: str):
    claim = read(text)
    assert claim.type == "target-role"
    assert (claim.details["target"], claim.details["carries"]) == (target, carries)


def test_a_role_word_before_a_component_is_only_a_description():
    claim = read("induction head 18.6 is necessary for IOI")
    assert (claim.type, claim.task) == ("necessity", "ioi")


@pytest.mark.parametrize(
    ("text", "ends", "channel"),
    [
        ("a20.h0->a23.h0<q>", ("a20.h0", "a23.h0"), "q"),
        ("MLP 0 supplies the keys of Head 1.0.", ("m0", "a1.h0"), "k"),
        ("Head 1.0 reads what MLP 0 writes.", ("m0", "a1.h0"), None),
        ("There is a direct connection from Head 0.1 to MLP 0 that the computation uses.", ("a0.h1", "m0"), None),
        ("Head 0.0 feeds MLP 0 directly.", ("a0.h0", "m0"), None),
        ("MLP 1 writes directly to the output logits.", ("m1", "logits"), None),
    ],
)
def test_edges(text: str, ends: tuple[str, str], channel: str | None):
    claim = read(text)
    assert (claim.type, claim.components, claim.details.get("channel")) == ("edge", ends, channel)


@pytest.mark.parametrize(
    "text", ["head 20.0 is necessary for sorting", "head 20.0 is needed for the sorting of numbers"]
)
def test_an_unknown_task_is_never_taken_for_the_default(text: str):
    with pytest.raises(ClaimError, match=r"No task is called 'sorting'.*ioi"):
        parse_claim(text, model="smollm2", task="ioi")


@pytest.mark.parametrize(
    ("text", "details"),
    [
        ("heads 20.0, 17.4 and 16.0 form a faithful circuit for IOI", {}),
        ("20.0, 17.4 and 16.0 are a complete and minimal circuit for IOI", {"complete": True, "minimal": True}),
        ("20.0, 17.4 and 16.0 implement IOI", {}),
    ],
)
def test_faithful_circuits(text: str, details: dict[str, bool]):
    claim = read(text)
    assert (claim.type, claim.components, claim.details) == ("circuit", ("a20.h0", "a17.h4", "a16.h0"), details)


def test_one_component_is_no_circuit():
    with pytest.raises(ClaimError, match="Name all its members"):
        read("head 20.0 implements IOI")


@pytest.mark.parametrize(
    "text",
    [
        "head 20.0 is an S-inhibition head that feeds head 23.0",
        "L20H0 is an S-inhibition head feeding the query of L23H0",
        "head 20.0 is a subject-inhibition head, read by head 23.0",
    ],
)
def test_an_s_inhibition_head_with_its_reader(text: str):
    claim = read(text)
    assert (claim.type, claim.components) == ("head-role", ("a20.h0",))
    assert claim.details == {"role": "s-inhibition", "reader": "a23.h0"}


def test_specifically_is_kept_for_groups_and_circuits():
    assert read("heads 20.0 and 17.4 are together necessary specifically for IOI").specific
    assert read("heads 20.0, 17.4 and 23.3 form a faithful circuit specifically for IOI").specific


@pytest.mark.parametrize("verb", ["affects", "changes", "feeds", "composes with"])
def test_an_edge_into_a_query_in_several_words(verb: str):
    claim = read(f"head 20.0 {verb} the query of head 23.0 in IOI")
    assert (claim.type, claim.components) == ("edge", ("a20.h0", "a23.h0"))
    assert claim.details == {"channel": "q"}


def test_the_names_of_the_packaged_tasks_need_no_torch():
    from tools.tasks import packaged_tasks

    assert known_tasks() == sorted(packaged_tasks())
    script = (
        "import sys; from agent.claim_parser_task import known_tasks; known_tasks(); assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", script], check=True)
