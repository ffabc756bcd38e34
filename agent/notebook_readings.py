"""Which cells reproduce an experiment that reads attention, weights or paths, and which of its numbers they measure.

Each entry turns a stored result's parameters into the source of `agent/notebook_cells_reading.py` and
`agent/notebook_cells_paths.py`. Sweeps have no such notebook: ask for one component.
"""

from agent import notebook_cells as plain
from agent import notebook_cells_paths as paths
from agent import notebook_cells_reading as reading
from tools.component import Component, parse_component, parse_edge
from tools.errors import ExperimentError
from tools.models import LoadedModel
from tools.prompts import Prompts
from tools.result import Result

COVERED = ("attention-pattern", "head-scores", "copy-score", "logit-lens", "path-patching", "circuit-evaluation")
Cells = tuple[list[str], list[str]]


def reading_cells(result: Result, model: LoadedModel, prompts: Prompts) -> Cells:
    """(names of the estimates that are measured again, cells). Raises ExperimentError for a sweep."""
    match result.experiment:
        case "attention-pattern":
            return _attention(result)
        case "head-scores":
            return _scores(result, prompts)
        case "copy-score":
            layer, head = _head(result)
            code = reading.COPY.format(layer=layer, head=head, top=result.params["top"])
            return ["copy_score", "negative_copy_score"], [code]
        case "logit-lens":
            return _lens(result)
        case "path-patching":
            return _path(result, model)
        case _:
            return _circuit(result, model)


def _head(result: Result) -> tuple[int, int]:
    name = result.params.get("component")
    if name is None:
        raise ExperimentError(f"{result.result_id} is a sweep over all heads; a notebook shows one: name a component.")
    head = parse_component(name)
    assert head.index is not None, head
    return head.layer, head.index


def _attention(result: Result) -> Cells:
    layer, head = _head(result)
    keys = [key.upper() for key in (result.params["key"], result.params.get("rival")) if key]
    code = reading.ATTENTION.format(layer=layer, head=head, query=result.params["query"].upper(), keys=keys)
    return ["attention", *(["margin"] if len(keys) > 1 else [])], [code]


def _scores(result: Result, prompts: Prompts) -> Cells:
    layer, head = _head(result)
    code = reading.SCORES.format(layer=layer, head=head, start=0 if prompts.bos is None else 1)
    return ["previous", "duplicate", "induction", "duplicate_control", "induction_control"], [code]


def _lens(result: Result) -> Cells:
    layer = result.params.get("layer")
    if layer is None:
        raise ExperimentError(f"{result.result_id} is a profile over all layers; a notebook shows one: name a layer.")
    return ["final", "lens", "lens_before"], [reading.LENS.format(layer=layer, before=layer - result.params["before"])]


def _path(result: Result, model: LoadedModel) -> Cells:
    senders, params = result.params.get("senders"), result.params
    edge = parse_edge(f"input->{params['receiver']}")
    channels = [edge.channel] if edge.channel in ("q", "k", "v") else ["q", "k", "v"]
    if not senders or (len(senders) > 1 and not params["joint"]) or params.get("position"):
        raise ExperimentError("A notebook shows one path at all positions: name one sender, or several with joint.")
    grouped = model.n_kv_heads != model.n_heads
    if edge.target.kind == "head" and grouped and channels != ["q"]:
        raise ExperimentError(
            f"{model.name} shares keys and values between heads, so hooks alone cannot change one head's; ask for <q>."
        )
    code = paths.PATH.format(
        senders=[str(parse_component(name)) for name in senders],
        kind=edge.target.kind,
        layer=edge.target.layer,
        head=edge.target.index or 0,
        channels=channels,
        zero=params["method"] == "zero",
    )
    return ["gap", "effect"], [code]


def _circuit(result: Result, model: LoadedModel) -> Cells:
    members = result.labels["components"]
    mlps = result.params["universe"] == "heads+mlps" or any(parse_component(name).kind == "mlp" for name in members)
    everyone = [str(Component("head", i, h)) for i in range(model.n_layers) for h in range(model.n_heads)]
    everyone += [str(Component("mlp", i)) for i in range(model.n_layers)] if mlps and model.d_mlp else []
    rest = [name for name in everyone if name not in members]
    code = paths.CIRCUIT.format(circuit=list(members), rest=rest)
    return ["gap", "faithfulness", "complement", "deviation"], [plain.FROM_RUN.format(source="CORRUPTED"), code]
