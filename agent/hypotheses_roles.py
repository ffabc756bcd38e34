"""Hypotheses about what heads do: the literature's roles by pattern, and plain descriptions of where a head looks.

For each role the heads that show its pattern on explore prompts are put forward: those with an effect as candidates,
the strongest one without as a rival, because a pattern alone is wrong about seven times in ten (METHOD 5.3). A head of
a small model that fits no role is described by the target its attention matches best. Sentences of the library about
the role are cited as the reason, never as evidence.
"""

from agent.claims import Claim, spoken
from agent.hypotheses import RIVAL, ROLE, Hypothesis, Known
from agent.investigation_patterns import ROLES, Reading, RolePattern, candidates, role_spoken
from agent.investigation_survey import is_head

MOST_OF_A_ROLE = 4
RIVALS_OF_A_ROLE = 1
TARGET_MATCH = 0.9
EITHER_ARM = ("induction", "duplicate-token")


def role_claim(known: Known, role: str, component: str) -> Claim:
    """The claim that a head has a role; a head whose removal is made up for is tested by patching it in."""
    details = {"role": role}
    seen, floor = known.survey.of(component), known.survey.floor
    if role in EITHER_ARM and (seen.harm or 0.0) < floor <= (seen.restore or 0.0):
        details["arm"] = "patching"
    return known.claim("head-role", [component], details=details)


def role_title(role: str, component: str) -> str:
    """`head a5.h1 is an induction head`."""
    article = "an" if role[0] in "aeio" or role.startswith("s-") else "a"
    return f"{spoken(component)} is {article} {role_spoken(role)} head"


def split_candidates(known: Known, pattern: RolePattern) -> tuple[list[str], list[str]]:
    """Heads with the pattern: those with an effect on explore prompts (or known as backups), and the idle ones."""
    floor = known.survey.floor
    heads = candidates(pattern, known.readings, known.survey.of, floor)
    backups = {pair.backup for pair in known.survey.backups}
    busy = [h for h in heads if known.survey.of(h).strength >= floor or h in backups]
    return busy[:MOST_OF_A_ROLE], [h for h in heads if h not in busy][:RIVALS_OF_A_ROLE]


def roles_by_head(known: Known) -> dict[str, list[str]]:
    """The roles that each head with an effect could have."""
    found: dict[str, list[str]] = {}
    for pattern in ROLES:
        for head in split_candidates(known, pattern)[0]:
            found.setdefault(head, []).append(pattern.role)
    return found


def propose_roles(known: Known) -> list[Hypothesis]:
    """One hypothesis for each head and role; heads that share a role, and roles that share a head, are rivals."""
    if not known.can_claim("head-role"):
        return []
    found: list[Hypothesis] = []
    by_head = roles_by_head(known)
    for pattern in ROLES:
        busy, idle = split_candidates(known, pattern)
        for head in [*busy, *idle]:
            rivals = [role_title(pattern.role, other) for other in [*busy, *idle] if other != head]
            rivals += [role_title(role, head) for role in by_head.get(head, []) if role != pattern.role]
            found.append(
                Hypothesis(
                    title=role_title(pattern.role, head),
                    origin="data",
                    rationale=_reason(known, pattern, head, idle=head in idle),
                    claims=(role_claim(known, pattern.role, head),),
                    urgency=RIVAL if head in idle else ROLE,
                    passages=_passages(known, pattern.role),
                    rivals=tuple(rivals),
                )
            )
    return found


def _reason(known: Known, pattern: RolePattern, head: str, *, idle: bool) -> str:
    reading = known.readings.of(head)
    shown = ", ".join(f"{name} {reading.get(name):.2f}" for name in pattern.needs)
    if idle:
        return f"A rival by pattern alone ({shown} on explore prompts): it shows no effect there."
    return f"On explore prompts it shows the pattern ({shown}) and an effect of {_effect(known, head)} of the gap."


def _effect(known: Known, head: str) -> str:
    seen = known.survey.of(head)
    largest = max((seen.harm or 0.0, seen.restore or 0.0, seen.direct or 0.0), key=abs)
    return f"{largest:.2f}"


def _passages(known: Known, role: str) -> tuple[str, ...]:
    cited = [document.citation(role) for document in known.literature.documents]
    return tuple(dict.fromkeys(c.passage_id for c in cited if c is not None))


def propose_targets(known: Known) -> list[Hypothesis]:
    """Where a head of a small model looks and what it copies from there, when no role of the literature fits it."""
    if not known.can_claim("target-role"):
        return []
    taken = roles_by_head(known)
    found = []
    for seen in known.core():
        reading = known.readings.of(seen.component)
        target = best_target(reading)
        if not is_head(seen.component) or seen.component in taken or target is None:
            continue
        claim = known.claim("target-role", [seen.component], details={"target": target, "carries": "token"})
        reason = f"On explore prompts its attention matches this target to {reading.get('at ' + target):.2f}."
        found.append(Hypothesis(title=claim.text, origin="data", rationale=reason, claims=(claim,), urgency=ROLE))
    return found


def best_target(reading: Reading) -> str | None:
    """The attention target that a head matches best, if it matches one well."""
    matches = {name[3:]: value for name, value in reading.scores.items() if name.startswith("at ")}
    best = max(matches, key=lambda name: (matches[name], name), default=None)
    return best if best is not None and matches[best] >= TARGET_MATCH else None


def propose_mechanisms(known: Known) -> list[Hypothesis]:
    """Each published mechanism, transposed: whoever shows a role's pattern and an effect here stands in for the role."""
    if not known.can_claim("head-role"):
        return []
    found = []
    for document in known.literature.documents:
        roles = {source.role for source in document.roles}
        cast = {p.role: split_candidates(known, p)[0] for p in ROLES if p.role in roles}
        claims = [role_claim(known, role, heads[0]) for role, heads in cast.items() if heads]
        missing = [role_spoken(role) for role in roles if not cast.get(role)]
        played = ", ".join(f"{heads[0]} as {role_spoken(role)}" for role, heads in cast.items() if heads)
        reason = (
            f"The mechanism of {document.title}, carried over by role: {played or 'nobody shows its patterns here'}."
        )
        if missing:
            reason += f" No head with an effect shows the pattern of: {', '.join(sorted(missing))}."
        found.append(
            Hypothesis(
                title=f"the mechanism of {document.document_id} in this model",
                origin="literature",
                rationale=reason,
                claims=tuple(claims),
                urgency=ROLE,
                passages=tuple(dict.fromkeys(source.citation.passage_id for source in document.roles)),
            )
        )
    return found
