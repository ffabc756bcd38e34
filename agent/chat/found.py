"""What a tool of the chat hands back beside its words: everything that an answer may cite or repeat.

Tools return `(text, artifact)`: the llm reads the text, the answer check and the built-in analyst read the artifact.
A `Found` is plain JSON at the border (`model_dump`), so it survives in LangGraph's state and in the ledger.
"""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from agent.answer import Citation

FoundKind = Literal[
    "passages",
    "summary",
    "source",
    "definition",
    "claim",
    "claims",
    "ranking",
    "result",
    "experiments",
    "paper-claims",
    "untested",
    "comparison",
    "disagreements",
    "report",
    "nothing",
]


class Found(BaseModel):
    """One tool's findings. `data` holds what the kind needs for wording; `text` is what the llm was told."""

    model_config = ConfigDict(extra="forbid")

    kind: FoundKind
    text: str
    citations: list[Citation] = Field(default_factory=list)
    results: list[str] = Field(default_factory=list)
    claims: list[str] = Field(default_factory=list)
    investigations: list[str] = Field(default_factory=list)
    data: dict[str, Any] = Field(default_factory=dict)
