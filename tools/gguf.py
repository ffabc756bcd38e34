"""Turns a GGUF file into an ordinary Hugging Face folder, once.

The packaged SmolLM2 is a Q4_1 GGUF. transformers dequantises it to float32; the tensors are written as safetensors
beside it (`<folder>/safetensors/`), so that later loads take a second. The numbers stay those of the quantised
file: this is not the original bf16 checkpoint, and every result says so through the hash of these weights.
"""

import shutil
from pathlib import Path

import torch
from safetensors.torch import save_file
from transformers import AutoModelForCausalLM, AutoTokenizer

from tools.errors import SetupError

BYTES_NEEDED_PER_GGUF_BYTE = 8
CONVERTED = "safetensors"


def converted_folder(folder: Path) -> Path:
    """The Hugging Face folder made from the one GGUF in `folder`; converts on first use.

    Raises SetupError when the GGUF is missing or the disk is too full for the float32 copy.
    """
    target = folder / CONVERTED
    if (target / "model.safetensors").is_file() and (target / "config.json").is_file():
        return target
    files = sorted(folder.glob("*.gguf"))
    if len(files) != 1:
        raise SetupError(
            f"{folder} holds {len(files)} GGUF files, expected exactly one; run: circuit-court models fetch --packaged"
        )
    needed = files[0].stat().st_size * BYTES_NEEDED_PER_GGUF_BYTE
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise SetupError(
            f"unpacking {files[0].name} needs {needed / 1e9:.1f} GB in {folder}, only {free / 1e9:.1f} GB are free; "
            "free some space or set CIRCUIT_COURT_HOME to a larger disk."
        )
    part = folder / f"{CONVERTED}.part"
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir()
    _convert(files[0], part)
    shutil.rmtree(target, ignore_errors=True)
    part.replace(target)
    return target


def _convert(gguf: Path, target: Path) -> None:
    """Dequantise `gguf` into `target` (config, tokenizer, float32 safetensors; tied weights once)."""
    model = AutoModelForCausalLM.from_pretrained(gguf.parent, gguf_file=gguf.name, dtype=torch.float32)
    tokenizer = AutoTokenizer.from_pretrained(gguf.parent, gguf_file=gguf.name)
    tensors: dict[str, torch.Tensor] = {}
    seen: set[int] = set()
    for name, tensor in model.state_dict().items():
        if tensor.data_ptr() not in seen:
            seen.add(tensor.data_ptr())
            tensors[name] = tensor.contiguous()
    config = model.config
    if hasattr(config, "quantization_config"):
        delattr(config, "quantization_config")
    config.save_pretrained(target)
    tokenizer.save_pretrained(target)
    save_file(tensors, target / "model.safetensors", metadata={"format": "pt", "source": gguf.name})
