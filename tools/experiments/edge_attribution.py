"""Nominates edges by gradients: EAP and EAP-IG. Never evidence; path-patching tests what it nominates.

Reports: table `edges` (edge, score as a share of the gap, rank), label `nominated` (edges, strongest first); arrays
`scores` [senders, receivers]; labels `senders`, `receivers`; estimates `gap`, `accuracy`.
"""

from pydantic import Field

from tools.component import Edge
from tools.costs import Cost, Sizes, backward, whole
from tools.edges import EdgeMethod, edge_scores
from tools.experiment import Lab, TaskParams, experiment
from tools.measurement import measure
from tools.result import Result


class EdgeAttribution(TaskParams):
    """Which gradient, and how many edges to nominate."""

    method: EdgeMethod = Field(
        default="eap-ig-inputs",
        description="eap: gradient at the clean run; eap-ig-inputs: averaged over inputs between corrupted and clean; "
        "eap-ig-activations: averaged over activations between the two runs",
    )
    steps: int = Field(default=5, ge=1, le=32, description="points on the way from corrupted to clean")
    top: int = Field(default=50, ge=1, le=2000, description="edges to nominate")


def _cost(params: EdgeAttribution, model: Sizes) -> Cost:
    return whole(4 * params.n) + backward(params.n * (1 if params.method == "eap" else params.steps))


@experiment("edge-attribution", version=1, kind="nominator", cost=_cost)
def edge_attribution(lab: Lab, params: EdgeAttribution) -> Result:
    """Which edges between components might matter: gradient scores of all of them at once.

    A sender's clean-minus-corrupted write times the gradient at each head's query, key and value input, each MLP's input
    and the logits. It nominates and proves nothing: test an edge with path-patching before saying anything about it.
    """
    m = measure(lab, params)
    estimates = m.behaviour_estimates()
    scores = edge_scores(m.engine, params.method, params.steps)
    top = scores.top(params.top)
    rows = [
        {"edge": str(edge), "score": round(value / m.gap, 5), "rank": rank + 1}
        for rank, (edge, value) in enumerate(top)
    ]
    names = [str(Edge(target, target, channel)).split("->")[1] for target, channel in scores.receivers]
    return m.result(
        "edge-attribution",
        1,
        f"{len(rows)} edges nominated by {params.method}; strongest {rows[0]['edge']}. Nothing is shown yet.",
        estimates,
        tables={"edges": rows},
        labels={
            "nominated": [str(edge) for edge, _ in top],
            "senders": [str(sender) for sender in scores.senders],
            "receivers": names,
        },
        arrays={"scores": scores.values / m.gap},
    )
