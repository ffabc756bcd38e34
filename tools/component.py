"""One vocabulary for the parts of a transformer, with one parser and one printer.

Printed forms (the strings of EAP-IG): `a5.h1` head, `a5` the attention of a layer, `m3` MLP, `m3.n17` MLP neuron,
`resid7@END` residual stream entering layer 7 at a position label, `f12:4051` SAE feature, `input`, `logits`; an
edge is `a5.h1->a7.h2<q>`. Input is forgiving: `5.1`, `L5H1`, `head 5.1`, `layer 5 head 1`,
`blocks.5.attn.hook_z[1]`, `레이어 5 헤드 1`. This module knows names only: whether a model has the component is
asked with `check_component`.
"""

import re
from dataclasses import dataclass
from typing import Literal, assert_never

from tools.errors import ExperimentError

Kind = Literal["head", "attn", "mlp", "neuron", "resid", "feature", "input", "logits"]
Channel = Literal["q", "k", "v", "in", "out"]


@dataclass(frozen=True, order=True)
class Component:
    """A part of a model. `index` is the head, neuron or feature; `position` a label such as END or S2."""

    kind: Kind
    layer: int = 0
    index: int | None = None
    position: str | None = None

    def __str__(self) -> str:
        where = f"@{self.position}" if self.position else ""
        match self.kind:
            case "head":
                return f"a{self.layer}.h{self.index}{where}"
            case "attn":
                return f"a{self.layer}{where}"
            case "mlp":
                return f"m{self.layer}{where}"
            case "neuron":
                return f"m{self.layer}.n{self.index}{where}"
            case "resid":
                return f"resid{self.layer}{where}"
            case "feature":
                return f"f{self.layer}:{self.index}{where}"
            case "input" | "logits":
                return f"{self.kind}{where}"
            case _:
                assert_never(self.kind)


@dataclass(frozen=True, order=True)
class Edge:
    """A directed connection; `channel` is the receiver's input (q, k, v of a head, `in` of an MLP)."""

    source: Component
    target: Component
    channel: Channel | None = None

    def __str__(self) -> str:
        return f"{self.source}->{self.target}" + (f"<{self.channel}>" if self.channel else "")


_POSITION = r"(?:\s*@\s*(?P<position>[A-Za-z][A-Za-z0-9_+-]*))?"
_PATTERNS: list[tuple[Kind, str]] = [
    ("neuron", r"^(?:m|mlp\s*)(?P<layer>\d+)\s*\.?\s*n(?:euron)?\s*(?P<index>\d+)"),
    ("neuron", r"^blocks\.(?P<layer>\d+)\.mlp\.hook_post\[(?P<index>\d+)\]"),
    ("feature", r"^(?:f|feature\s*)(?P<layer>\d+)\s*:\s*(?P<index>\d+)"),
    ("head", r"^a(?P<layer>\d+)\s*\.\s*h(?P<index>\d+)"),
    ("head", r"^(?:attention\s+)?(?:head\s*|헤드\s*)?(?P<layer>\d+)\s*\.\s*h?(?P<index>\d+)"),
    ("head", r"^l(?:ayer\s*)?(?P<layer>\d+)\s*[.,]?\s*h(?:ead\s*)?(?P<index>\d+)"),
    ("head", r"^head\s*(?P<index>\d+)\s+(?:of|in|at)\s+layer\s*(?P<layer>\d+)"),
    ("head", r"^(?:레이어|층)\s*(?P<layer>\d+)\s*의?\s*헤드\s*(?P<index>\d+)"),
    ("head", r"^(?P<layer>\d+)\s*(?:번\s*)?(?:층|레이어)\s*의?\s*(?P<index>\d+)\s*(?:번\s*)?헤드"),
    ("head", r"^blocks\.(?P<layer>\d+)\.attn\.hook_(?:z|result|q|pattern)\[(?P<index>\d+)\]"),
    ("mlp", r"^(?:mlp|m)\s*(?:layer\s*)?(?P<layer>\d+)"),
    ("mlp", r"^l(?:ayer\s*)?(?P<layer>\d+)\s*mlp"),
    ("mlp", r"^blocks\.(?P<layer>\d+)\.(?:hook_mlp_out|mlp\.hook_out)"),
    ("resid", r"^(?:resid(?:ual)?(?:\s*stream)?\s*)(?P<layer>\d+)"),
    ("resid", r"^blocks\.(?P<layer>\d+)\.hook_resid_pre"),
    ("attn", r"^(?:a|attn|attention)\s*(?:layer\s*)?(?P<layer>\d+)"),
    ("attn", r"^blocks\.(?P<layer>\d+)\.hook_attn_out"),
    ("input", r"^(?:input|embed(?:ding)?s?)"),
    ("logits", r"^(?:logits|output|unembed(?:ding)?)"),
]
_FORMS: list[tuple[Kind, re.Pattern[str]]] = [
    (kind, re.compile(pattern + _POSITION + r"$", re.IGNORECASE)) for kind, pattern in _PATTERNS
]
_EDGE = re.compile(
    r"^(?P<source>.+?)\s*(?:->|→)\s*(?P<target>[^<]+?)\s*(?:<(?P<channel>q|k|v|in|out)>)?$", re.IGNORECASE
)


def parse_component(text: str) -> Component:
    """Read a component in any common spelling.

    Raises ExperimentError that shows the accepted forms when the text is none of them.
    """
    stripped = " ".join(text.strip().split())
    for kind, pattern in _FORMS:
        if found := pattern.match(stripped):
            groups = found.groupdict()
            position = groups.get("position")
            return Component(
                kind,
                int(groups.get("layer") or 0),
                int(groups["index"]) if groups.get("index") else None,
                position.upper() if position else None,
            )
    raise ExperimentError(
        f"{text!r} is not a component name. Write a head as a5.h1 (or 5.1, L5H1), an MLP as m3, "
        "a residual site as resid7@END, an SAE feature as f12:4051."
    )


def parse_edge(text: str) -> Edge:
    """Read `a5.h1->a7.h2<q>` (either end in any spelling).

    Raises ExperimentError when the text has no arrow or an end cannot be read.
    """
    found = _EDGE.match(text.strip())
    if not found:
        raise ExperimentError(f"{text!r} is not an edge. Write it as a5.h1->a7.h2<q>.")
    channel = found["channel"]
    return Edge(
        parse_component(found["source"]),
        parse_component(found["target"]),
        channel.lower() if channel else None,  # pyright: ignore[reportArgumentType]  # the pattern admits only channels
    )


def check_component(component: Component, n_layers: int, n_heads: int) -> None:
    """Raise ExperimentError with the valid range unless a model of this size has the component.

    A residual site may name `n_layers` too: the stream after the last layer. Neuron and SAE feature indices are
    checked where their widths are known.
    """
    if component.kind in ("input", "logits"):
        return
    last = n_layers if component.kind == "resid" else n_layers - 1
    if not 0 <= component.layer <= last:
        raise ExperimentError(f"{component} does not exist: this model has layers 0 to {last}.")
    if component.kind == "head" and not (component.index is not None and 0 <= component.index < n_heads):
        raise ExperimentError(f"{component} does not exist: each layer of this model has heads 0 to {n_heads - 1}.")
