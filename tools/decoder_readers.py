"""Finds the weights of a loaded model for `tools/decoder.py`.

Hugging Face families: Llama and its relatives with the same block (Llama, Mistral, Qwen2, Qwen3, SmolLM), GPT-2, and
GPT-NeoX (Pythia). Hand-built models: HookedTransformer with standard positions. Any other model has no reader, which
is said (None), never guessed; it is then run through hooks. The reader must be called before the Bridge wraps the
Hugging Face modules.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional
from transformers.activations import ACT2FN

from tools.decoder import Attention, Block, Decoder, Mlp, Norm, Rotary

LLAMA_LIKE = ("llama", "mistral", "qwen2", "qwen3")


def read_huggingface(model: Any) -> Decoder | None:
    """The decoder of a Hugging Face causal language model, or None when its family is not known here."""
    family = model.config.model_type
    if family in LLAMA_LIKE and _full_attention(model.config):
        return _llama(model)
    if family == "gpt2" and not model.config.add_cross_attention:
        return _gpt2(model)
    if family == "gpt_neox":
        return _neox(model)
    return None


def _full_attention(config: Any) -> bool:
    """No layer uses a sliding window, and the rotary embedding does not change with length."""
    kinds = getattr(config, "layer_types", None) or []
    window = getattr(config, "sliding_window", None) if not kinds else None
    kind = (getattr(config, "rope_parameters", None) or {}).get("rope_type", "default")
    return window is None and all(k == "full_attention" for k in kinds) and kind in ("default", "linear", "llama3")


def _rms(module: Any) -> Norm:
    return Norm("rms", module.weight, None, float(module.variance_epsilon))


def _layer_norm(module: Any) -> Norm:
    return Norm("layer", module.weight, module.bias, float(module.eps))


def _rotary(module: Any) -> Rotary:
    return Rotary(module.inv_freq.clone(), float(module.attention_scaling))


def _llama(model: Any) -> Decoder:
    body, config = model.model, model.config
    rotary = _rotary(body.rotary_emb)
    blocks = []
    for layer in body.layers:
        a, m = layer.self_attn, layer.mlp
        attn = Attention(
            w_q=a.q_proj.weight, w_k=a.k_proj.weight, w_v=a.v_proj.weight, w_o=a.o_proj.weight,
            b_q=a.q_proj.bias, b_k=a.k_proj.bias, b_v=a.v_proj.bias, b_o=a.o_proj.bias,
            n_heads=config.num_attention_heads, n_groups=config.num_key_value_heads, scale=float(a.scaling),
            q_norm=_rms(a.q_norm) if hasattr(a, "q_norm") else None,
            k_norm=_rms(a.k_norm) if hasattr(a, "k_norm") else None,
            rotary=rotary,
        )  # fmt: skip
        mlp = Mlp(
            w_in=m.up_proj.weight, w_gate=m.gate_proj.weight, w_out=m.down_proj.weight, activation=m.act_fn,
            b_in=m.up_proj.bias, b_gate=m.gate_proj.bias, b_out=m.down_proj.bias,
        )  # fmt: skip
        blocks.append(Block(_rms(layer.input_layernorm), attn, _rms(layer.post_attention_layernorm), mlp))
    head = model.lm_head
    return Decoder(
        w_e=body.embed_tokens.weight, w_pos=None, embed_scale=1.0, blocks=tuple(blocks), final_norm=_rms(body.norm),
        w_u=head.weight, b_u=head.bias, causal=True,
    )  # fmt: skip


def _gpt2(model: Any) -> Decoder:
    body, config = model.transformer, model.config
    blocks = []
    for index, layer in enumerate(body.h):
        a, m = layer.attn, layer.mlp
        w_q, w_k, w_v = a.c_attn.weight.T.chunk(3)
        b_q, b_k, b_v = a.c_attn.bias.chunk(3)
        d_head = config.n_embd // config.n_head
        scale = d_head**-0.5 if config.scale_attn_weights else 1.0
        if config.scale_attn_by_inverse_layer_idx:
            scale /= index + 1
        attn = Attention(
            w_q=w_q, w_k=w_k, w_v=w_v, w_o=a.c_proj.weight.T, b_q=b_q, b_k=b_k, b_v=b_v, b_o=a.c_proj.bias,
            n_heads=config.n_head, n_groups=config.n_head, scale=scale,
        )  # fmt: skip
        mlp = Mlp(
            w_in=m.c_fc.weight.T, w_out=m.c_proj.weight.T, activation=m.act, b_in=m.c_fc.bias, b_out=m.c_proj.bias
        )
        blocks.append(Block(_layer_norm(layer.ln_1), attn, _layer_norm(layer.ln_2), mlp))
    return Decoder(
        w_e=body.wte.weight, w_pos=body.wpe.weight, embed_scale=1.0, blocks=tuple(blocks),
        final_norm=_layer_norm(body.ln_f), w_u=model.lm_head.weight, b_u=model.lm_head.bias, causal=True,
    )  # fmt: skip


def _neox(model: Any) -> Decoder:
    body, config = model.gpt_neox, model.config
    rotary, heads = _rotary(body.rotary_emb), config.num_attention_heads
    blocks = []
    for layer in body.layers:
        a, m = layer.attention, layer.mlp
        weight = a.query_key_value.weight.unflatten(0, (heads, 3, -1))
        bias = a.query_key_value.bias
        parts = None if bias is None else bias.unflatten(0, (heads, 3, -1))
        w_q, w_k, w_v = (weight[:, i].flatten(0, 1) for i in range(3))
        b_q, b_k, b_v = (None if parts is None else parts[:, i].flatten() for i in range(3))
        attn = Attention(
            w_q=w_q, w_k=w_k, w_v=w_v, w_o=a.dense.weight, b_q=b_q, b_k=b_k, b_v=b_v, b_o=a.dense.bias,
            n_heads=heads, n_groups=heads, scale=float(a.scaling), rotary=rotary,
        )  # fmt: skip
        mlp = Mlp(
            w_in=m.dense_h_to_4h.weight, w_out=m.dense_4h_to_h.weight, activation=m.act,
            b_in=m.dense_h_to_4h.bias, b_out=m.dense_4h_to_h.bias,
        )  # fmt: skip
        ln1, ln2 = _layer_norm(layer.input_layernorm), _layer_norm(layer.post_attention_layernorm)
        blocks.append(Block(ln1, attn, ln2, mlp, parallel=bool(config.use_parallel_residual)))
    head = model.get_output_embeddings()
    return Decoder(
        w_e=body.embed_in.weight, w_pos=None, embed_scale=1.0, blocks=tuple(blocks),
        final_norm=_layer_norm(body.final_layer_norm), w_u=head.weight, b_u=head.bias, causal=True,
    )  # fmt: skip


def read_hooked(model: Any) -> Decoder | None:
    """The decoder of a HookedTransformer, or None when it uses positions or norms not known here."""
    cfg = model.cfg
    known_norm = cfg.normalization_type in (None, "LN", "LNPre", "RMS", "RMSPre")
    plain = not (cfg.use_local_attn or cfg.use_normalization_before_and_after or cfg.use_qk_norm)
    soft = cfg.attn_scores_soft_cap > 0 or cfg.output_logits_soft_cap > 0
    if cfg.positional_embedding_type != "standard" or not known_norm or not plain or soft:
        return None
    blocks = tuple(_hooked_block(model.blocks[index], cfg, index) for index in range(cfg.n_layers))
    return Decoder(
        w_e=model.embed.W_E, w_pos=model.pos_embed.W_pos, embed_scale=1.0, blocks=blocks,
        final_norm=_hooked_norm(model.ln_final if cfg.normalization_type else None, cfg),
        w_u=model.unembed.W_U.T, b_u=model.unembed.b_U, causal=cfg.attention_dir == "causal",
    )  # fmt: skip


def _hooked_norm(module: Any | None, cfg: Any) -> Norm:
    if module is None:
        return Norm("none")
    kind = "rms" if cfg.normalization_type.startswith("RMS") else "layer"
    return Norm(kind, getattr(module, "w", None), getattr(module, "b", None), float(cfg.eps))


def _hooked_block(block: Any, cfg: Any, layer: int) -> Block:
    a = block.attn
    groups = cfg.n_key_value_heads or cfg.n_heads
    scale = 1.0 / float(cfg.attn_scale) if cfg.use_attn_scale else 1.0
    if cfg.scale_attn_by_inverse_layer_idx:
        scale /= layer + 1

    def rows(weight: Tensor) -> Tensor:
        return weight.transpose(1, 2).flatten(0, 1)

    w_k, w_v = (a._W_K, a._W_V) if groups != cfg.n_heads else (a.W_K, a.W_V)
    b_k, b_v = (a._b_K, a._b_V) if groups != cfg.n_heads else (a.b_K, a.b_V)
    attn = Attention(
        w_q=rows(a.W_Q), w_k=rows(w_k), w_v=rows(w_v), w_o=a.W_O.flatten(0, 1).T,
        b_q=a.b_Q.flatten(), b_k=b_k.flatten(), b_v=b_v.flatten(), b_o=a.b_O,
        n_heads=cfg.n_heads, n_groups=groups, scale=scale,
    )  # fmt: skip
    has_norm = cfg.normalization_type is not None
    mlp = None if cfg.attn_only else _hooked_mlp(block.mlp, cfg)
    ln1 = _hooked_norm(block.ln1 if has_norm else None, cfg)
    ln2 = _hooked_norm(block.ln2 if has_norm and mlp is not None else None, cfg)
    return Block(ln1, attn, ln2, mlp, parallel=bool(cfg.parallel_attn_mlp))


def _hooked_mlp(mlp: Any, cfg: Any) -> Mlp:
    activation = _ACTIVATIONS.get(cfg.act_fn) or ACT2FN[cfg.act_fn]
    gate = mlp.W_gate.T if cfg.gated_mlp else None
    return Mlp(w_in=mlp.W_in.T, w_out=mlp.W_out.T, activation=activation, w_gate=gate, b_in=mlp.b_in, b_out=mlp.b_out)


def _gelu_new(x: Tensor) -> Tensor:
    return functional.gelu(x, approximate="tanh")


_ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "relu": torch.relu,
    "gelu": functional.gelu,
    "gelu_new": _gelu_new,
    "silu": functional.silu,
}
