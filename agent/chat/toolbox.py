"""The tools of the chat: search, summarise, define, compare, rank, run, verify, investigate, show. The same for every llm.

Each tool calls what the rest of the product calls (`Court`, `Library`), so an answer in the chat, on the command
line and on the Claims page rest on the same stored things. Tools never judge and never invent: they return the
text that the llm may use, and a `Found` with everything it may cite. A method's docstring is what the llm reads.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from agent.answer import Citation
from agent.chat.found import Found
from agent.chat.found_claim import claim_found, result_text
from agent.chat.found_library import (
    Part,
    comparison_found,
    disagreements_found,
    in_full,
    source_found,
    summary_found,
)
from agent.chat.found_report import report_found
from agent.claim_here import carry_over
from agent.claim_parser_task import known_tasks
from agent.claim_search import search_claims
from agent.court import Court
from agent.errors import AgentError
from agent.published import Published
from agent.report import Report
from agent.usage import Meter, Usage
from kb.errors import UnknownNameError
from kb.library import Library
from kb.records import Cited, Filters, Hit, LiteratureClaim
from kb.text import is_korean
from tools.errors import CancelledError
from tools.result import Result

Emit = Callable[[str, dict[str, Any]], None]
ANTI_PATTERN = "anti-pattern"  # how the ids of notes on wrong conclusions begin
NEAREST = 3  # documents that a declined search names
FORWARDED = {"status", "registered", "progress", "evidence", "verdict", "plan", "approval", "approved", "read"}


@dataclass
class Toolbox:
    """What one chat turn may use. `emit` shows progress; `cancelled` is asked while waiting."""

    court: Court
    library: Library
    model: str
    task: str
    emit: Emit
    cancelled: Callable[[], bool]
    meter: Meter

    def experiments(self) -> list[dict[str, Any]]:
        """The catalogue of experiments that a worker published."""
        return self.court.catalogue("experiment")

    def search_library(self, query: str, limit: int = 6) -> Found:
        """Search papers and wiki notes of the library. Returns passages with ids to cite as [^p:ID].

        Use it before saying anything about the literature. `query` in the words of the question, English or Korean.
        """
        answer = self.library.search(query, limit=limit)
        if answer.declined:
            nearest = [hit_citation(hit) for hit in answer.nearest[:NEAREST]]
            named = "; ".join(f"{c.title} ({c.document_id}) [^p:{c.passage_id}]" for c in nearest)
            return Found(
                kind="nothing",
                text=f"{answer.sentence} Nearest, but not an answer: {named}" if named else answer.sentence,
                citations=nearest,
                data={"query": query, "unused": list(answer.unused), "nearest": [c.passage_id for c in nearest]},
            )
        citations = [hit_citation(hit) for hit in answer.hits]
        lines = [f"[^p:{c.passage_id}] {c.title} ({c.document_id}): {c.quote}" for c in citations]
        korean = self._in_korean(citations) if is_korean(query) else {}
        against = {
            c.passage_id: self._why_not(c.document_id) for c in citations if c.document_id.startswith(ANTI_PATTERN)
        }
        return Found(
            kind="passages",
            text="\n\n".join(lines),
            citations=[
                *citations,
                *self._cited([sentence for said in (*korean.values(), *against.values()) for sentence in said]),
            ],
            data={
                "query": query,
                "remarks": list(answer.remarks),
                "hits": [citation.passage_id for citation in citations],
                "sections": {
                    hit.passage_id: hit.heading.rpartition(" > ")[2] for hit in answer.hits if hit.heading != hit.title
                },
                "against": {name: [s.model_dump(mode="json") for s in said] for name, said in against.items()},
                "korean": {name: [s.model_dump(mode="json") for s in said] for name, said in korean.items()},
            },
        )

    def summarise(self, subject: str, kind: Literal["paper", "any"] = "any", part: Part = "all") -> Found:
        """Summarise a paper, note or topic of the library: question, method, findings, limits, what to test here.

        `subject` is a title, author and year, arXiv id, note id or topic; `kind` is paper when a paper is meant. `part`
        asks for one part only; source is who wrote it, when and where. Every sentence is verbatim and cited.
        """
        try:
            name = self.library.find(subject, kind="paper" if kind == "paper" else None).id
        except UnknownNameError:
            if part != "all":
                raise
            name = self._first_paper(subject) if kind == "paper" else subject
        if part == "source":
            return source_found(self.library.document(name), self.library.passages(name), self._cited)
        return summary_found(self.library.summarise(name), part, self._cited)

    def define(self, term: str) -> Found:
        """What a term of the field means, in cited sentences of the library's note about it."""
        try:
            definition = self.library.define(term)
        except UnknownNameError:
            return self.search_library(term)
        lines = [f"{definition.title} ({definition.document_id})"]
        lines += [f"{s.text} [^p:{s.passage_id}]" for s in (*definition.sentences, *definition.korean)]
        return Found(
            kind="definition",
            text="\n".join(lines),
            citations=self._cited((*definition.sentences, *definition.korean)),
            data={"definition": definition.model_dump(mode="json")},
        )

    def paper_claims(self, about: str = "") -> Found:
        """Falsifiable claims that the library's papers make, with intervention and expected outcome.

        `about` filters by a word of the claim, task, component or model; empty for all.
        """
        words = about.lower().split()
        claims = [
            c
            for c in self.library.claims()
            if all(w in f"{c.claim} {c.task} {c.component} {c.models} {c.title} {c.document_id}".lower() for w in words)
        ][:20]
        lines = [f"{c.id}: {in_full(c)} ({c.title})" for c in claims]
        text = "\n".join(lines) or f"No claim in the library is about {about!r}."
        return Found(kind="paper-claims", text=text, data={"claims": [c.model_dump(mode="json") for c in claims]})

    def compare_papers(self, names: list[str]) -> Found:
        """Compare two or more papers or notes in a table: question, method, findings with numbers, limits; all cited.

        `names` are titles, authors and year, note ids or topics, for example ["the IOI paper", "activation patching"].
        """
        if len(names) < 2:
            raise AgentError("Name at least two papers or notes to compare, for example: compare A and B.")
        found = list(dict.fromkeys(self._document_about(name) for name in names))
        if len(found) < 2:
            raise AgentError(f"{', '.join(names)} are told in one note, {found[0]}: search it instead of comparing it.")
        return comparison_found(self.library.compare(found), self._cited)

    def find_disagreements(self, topic: str) -> Found:
        """Where the literature disagrees about a topic: pairs of cited sentences that point in opposite directions,
        with the model, metric or ablation that only one side names. Leads for a reader, no verdicts.
        """
        return disagreements_found(self.library.disagreements(topic), topic, self._cited)

    def investigate(self, question: str, task: str = "") -> Found:
        """Investigate how the model under study does a task: survey, hypotheses, registered claims, verdicts, report.

        For "how does this model do IOI?"; takes minutes. A plan over the budget waits for the user's yes. How something
        works in general, or in other models, is a question for the library. `task` only when the question names none.
        """
        run_id = self.court.investigate(question, model=self.model, task=task or None)
        return report_found(Report.model_validate(self._follow(run_id)), run_id)

    def test_paper_claim(self, claim: str) -> Found:
        """Test a claim that a paper makes in the model under study, or say why that cannot be done here.

        `claim` is its id or words as paper_claims gives them. A paper's head numbers are never carried over: its task is
        investigated in this model, with registered predictions. Takes minutes.
        """
        said = self._paper_claim(claim)
        carried = carry_over(said, Published(self.court.ledger).tasks() or known_tasks())
        about = {"claim": said.model_dump(mode="json"), "en": carried.english, "ko": carried.korean}
        if carried.task is None:
            return Found(kind="untested", text=f"{in_full(said)} ({said.title}). {carried.english}", data=about)
        found = self.investigate(f"investigate how this model does {carried.task}", carried.task)
        text = f"{in_full(said)} ({said.title}). {carried.english}\n{found.text}"
        return found.model_copy(update={"text": text, "data": {**found.data, "carried": about}})

    def verify_claim(self, claim: str) -> Found:
        """Put a claim about a component of the model on trial: predictions are registered, experiments run on fresh
        prompts, and a verdict is computed. Takes up to a few minutes; known verdicts come back at once.

        `claim` is one sentence with a component and a task, for example "head 20.0 is necessary for IOI".
        """
        card = self.court.stored_verdict(claim, model=self.model)
        if card is None:
            run_id = self.court.verify(claim, model=self.model)
            outcome = self._follow(run_id)
            card = self.court.claim(str(outcome["claim_id"]))
        return claim_found(card)

    def show_claim(self, claim_id: str) -> Found:
        """Show one claim of the ledger with its verdict, predictions and evidence. `claim_id` or its beginning."""
        return claim_found(self.court.claim(claim_id))

    def list_claims(self, verdict: Literal["", "supported", "refuted", "inconclusive"] = "", about: str = "") -> Found:
        """List the claims in the ledger with their verdicts, newest first; refuted and open ones are kept too.

        `verdict` keeps only those; `about` only claims with all these words in text, components, task, type or reason.
        """
        listed = self.court.claims()
        rows = search_claims(listed, words=about, verdicts=(verdict,) if verdict else ())
        data = [row.model_dump(mode="json") for row in rows]
        lines = [f"[^c:{r.claim_id}] {r.text} -- {r.verdict or 'not judged'}: {r.reason}" for r in rows]
        text = "\n".join(lines) or (
            "No claim in the ledger is like that." if listed else "The ledger holds no claims yet."
        )
        shown = {"claims": data, "of": len(listed)}
        return Found(kind="claims", text=text, claims=[r.claim_id for r in rows], data=shown)

    def list_experiments(self) -> Found:
        """List the experiments that can be run, with what each measures and its parameters."""
        cards = self.experiments()
        lines = [f"{c['name']} ({c['kind']}): {str(c['doc']).splitlines()[0]}" for c in cards]
        return Found(kind="experiments", text="\n".join(lines), data={"experiments": cards})

    def run_experiment(self, name: str, params: dict[str, Any]) -> Found:
        """Run one experiment on the model and return its numbers with intervals. Exploratory: it judges no claim.

        `name` from list_experiments; `params` a JSON object of that experiment's parameters (task defaults to ioi).
        """
        result = self._run(name, params)
        return Found(
            kind="result",
            text=result_text(result),
            results=[result.result_id],
            data={"result": result.model_dump(mode="json")},
        )

    def rank_heads(self, task: str = "", n: int = 32) -> Found:
        """Which heads matter for a task: screens all heads by gradients on explore prompts, then measures the nominated
        ones exactly by resample ablation. Exploratory: it ranks candidates; only verify_claim judges.
        """
        task = task or self.task
        screen = self._run("screen", {"task": task, "n": n})
        nominated = screen.labels["nominated"]
        heads = [name for name in nominated if ".h" in name]
        exact = self._run("head-ablation", {"task": task, "n": n, "components": heads, "method": "resample"})
        measured = [exact.estimate(f"harm:{head}") for head in heads]
        ranked = sorted(zip(heads, measured, strict=True), key=lambda pair: -abs(pair[1].value))[:12]
        rows = [{"component": head, "harm": e.value, "low": e.low, "high": e.high} for head, e in ranked]
        lines = [f"{head}: harm {e.value:.3f} [{e.low:.3f}, {e.high:.3f}]" for head, e in ranked]
        text = (
            f"Resample-ablation harm on {n} explore prompts of {task} in {self.model}, as a share of the clean-to-corrupted "
            f"gap ({len(heads)} heads nominated by the screen, measured exactly; 98 % intervals) [^r:{exact.result_id}]:\n"
            + "\n".join(lines)
        )
        return Found(
            kind="ranking",
            text=text,
            results=[exact.result_id, screen.result_id],
            data={"rows": rows, "task": task, "model": self.model, "n": n, "nominated": len(heads)},
        )

    def _paper_claim(self, wanted: str) -> LiteratureClaim:
        """The claim of the literature with that id, or with those words for its name. Raises AgentError."""
        claims = self.library.claims()
        named = [claim for claim in claims if claim.id == wanted]
        named = named or [claim for claim in claims if claim.claim.casefold() == wanted.strip(" .?\"'").casefold()]
        if len(named) != 1:
            raise AgentError(
                f"{len(named) or 'No'} claims of the literature are called {wanted!r}. Give an id: paper_claims."
            )
        return named[0]

    def _first_paper(self, subject: str) -> str:
        """The id of the paper that a search for the subject finds first, or the subject."""
        found = self.library.search(subject, limit=1, filters=Filters(kinds=("paper",)))
        return found.hits[0].canonical_id if found.hits else subject

    def _document_about(self, name: str) -> str:
        """The id of the document that is meant, or that a search for the name finds first.

        Raises AgentError when the library has neither.
        """
        try:
            return self.library.find(name).id
        except UnknownNameError:
            found = self.library.search(name, limit=1)
        if found.declined or not found.hits:
            raise AgentError(f"The library has nothing called {name!r}.")
        return found.hits[0].canonical_id

    def _why_not(self, document_id: str) -> list[Cited]:
        """What an anti-pattern's note holds against it: its first line and the first reason."""
        summary = self.library.summarise(document_id)
        return [*summary.question[:1], *summary.findings[:1]]

    def _in_korean(self, citations: Sequence[Citation]) -> dict[str, list[Cited]]:
        """For passages that are not Korean, by their ids: what their note says in Korean."""
        foreign = {c.passage_id: c.document_id for c in citations if not is_korean(c.quote)}
        said = {name: list(self.library.summarise(document).korean[:2]) for name, document in foreign.items()}
        return {name: sentences for name, sentences in said.items() if sentences}

    def _cited(self, sentences: Sequence[Cited]) -> list[Citation]:
        """One citation for each passage, from its first cited sentence to its last."""
        spans: dict[str, list[Cited]] = {}
        for sentence in sentences:
            spans.setdefault(sentence.passage_id, []).append(sentence)
        return [self._span(name, said) for name, said in spans.items()]

    def _span(self, passage_id: str, said: Sequence[Cited]) -> Citation:
        passage = self.library.passage(passage_id)
        start, end = min(s.start for s in said), max(s.end for s in said)
        return Citation(
            passage_id=passage_id,
            document_id=passage.document_id,
            title=passage.title,
            start=start,
            end=end,
            page=passage.page,
            quote=passage.text[start:end],
        )

    def _run(self, name: str, params: dict[str, Any]) -> Result:
        outcome = self._follow(self.court.run_experiment(name, params, model=self.model))
        return self.court.result(str(outcome["result_id"]))

    def _follow(self, run_id: str) -> dict[str, Any]:
        """Wait for a run, passing its progress on. Raises CancelledError when stopped, AgentError when it failed."""
        stopped = False
        for event in self.court.follow(run_id):
            if self.cancelled() and not stopped:
                self.court.cancel(run_id)
                stopped = True
            if event.kind == "approval":
                self.emit(event.kind, {"run_id": run_id, **event.payload})
            elif event.kind == "usage":
                self.meter.take(Usage.model_validate(event.payload))
            elif event.kind in FORWARDED:
                self.emit(event.kind, event.payload)
        run = self.court.run(run_id)
        if run.status == "cancelled":
            raise CancelledError("stopped on request")
        if run.status != "done" or run.outcome is None:
            raise AgentError(run.error or f"run {run_id} ended as {run.status} without a reason")
        return run.outcome


def hit_citation(hit: Hit) -> Citation:
    """The whole passage of a search hit as a citation."""
    return Citation(
        passage_id=hit.passage_id,
        document_id=hit.document_id,
        title=hit.title,
        start=0,
        end=len(hit.text),
        page=hit.page,
        quote=hit.text,
        url=hit.url,
        trust=hit.trust,
        verification=hit.verification,
    )
