"""An answer: Markdown whose numbers and quotations point at what is stored.

Markers in the text: `[^p:PASSAGE_ID]` cites a passage, `[^r:RESULT_ID]` a result, `[^c:CLAIM_ID]` a claim,
`[^i:RUN_ID]` an investigation. The
app turns them into numbered links, the command line into a list of sources. The checks that strike out what does
not resolve live in `agent/answer_check.py`.
"""

import re

from pydantic import BaseModel, ConfigDict, Field

from agent.usage import Usage

MARKER = re.compile(r"\[\^(?P<kind>[prci]):(?P<id>[A-Za-z0-9_.:-]+)\]")


class Citation(BaseModel):
    """A passage that the answer rests on: `quote` is its characters `start` to `end`, counted inside the passage."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    passage_id: str
    document_id: str
    title: str
    start: int
    end: int
    page: int | None = None
    quote: str = ""
    url: str | None = None
    trust: str | None = None
    verification: str | None = None


class Answer(BaseModel):
    """What the assistant says at the end of a turn."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    text: str
    citations: list[Citation] = Field(default_factory=list)
    results: list[str] = Field(default_factory=list, description="result ids, in order of first mention")
    claims: list[str] = Field(default_factory=list, description="claim ids, in order of first mention")
    investigations: list[str] = Field(default_factory=list, description="ids of investigations' runs")
    struck: list[str] = Field(default_factory=list, description="numbers and quotations that did not resolve")
    llm: str = Field(default="built-in analyst", description="who worded it")
    usage: Usage | None = Field(default=None, description="what the llm took; null for the built-in analyst")
