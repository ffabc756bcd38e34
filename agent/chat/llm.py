"""Which language model words the answers: the one that the settings name, or the built-in analyst.

`provider:model` as LangChain spells it (anthropic:..., openai:..., ollama:...; any OpenAI-compatible server through
`CIRCUIT_COURT_LLM_BASE_URL`). Keys come from the settings, or from where the provider's own package looks. Nothing
is contacted here: a wrong key shows itself on the first turn, as an LlmError with the remedy.
"""

import re
from typing import Any

from langchain_core.language_models import BaseChatModel

from agent.chat.analyst import BuiltInAnalyst
from agent.config import Config
from agent.errors import LlmError

PACKAGES = {"anthropic": "anthropic", "openai": "openai", "ollama": "ollama"}
_KEY = re.compile(r"(?i:bearer)\s+\S+|\b(?:sk|pk|key|gsk|xai|AIza)[-_][\w-]{4,}")  # as providers spell keys


def build_llm(config: Config, experiments: list[str]) -> tuple[BaseChatModel, str]:
    """The chat model and the name it is shown under.

    Raises LlmError, naming the setting or the extra to install, when the configured one cannot be built.
    """
    if not config.llm:
        return BuiltInAnalyst(experiments=experiments), "built-in analyst"
    provider, _, model = config.llm.partition(":")
    if not model:
        raise LlmError(
            f"CIRCUIT_COURT_LLM={config.llm!r} names no provider. Write provider:model, for example "
            "anthropic:claude-sonnet-4-5, openai:gpt-5 or ollama:qwen3."
        )
    from langchain.chat_models import init_chat_model

    settings: dict[str, Any] = {"timeout": 120, "max_retries": 2}
    if provider == "openai":
        settings["stream_usage"] = True  # other servers than OpenAI's own count tokens of a stream only when asked
    if config.llm_base_url:
        settings["base_url"] = config.llm_base_url
    if config.llm_api_key:
        settings["api_key"] = config.llm_api_key
    if provider == "ollama":
        settings = {name: value for name, value in settings.items() if name == "base_url"}
    try:
        return init_chat_model(model, model_provider=provider, **settings), config.llm
    except ImportError as missing:
        extra = PACKAGES.get(provider)
        remedy = f"pip install -c constraints.txt -e '.[{extra}]'" if extra else f"the package it names: {missing}"
        raise LlmError(f"the package for {provider!r} is not installed. Install it with: {remedy}") from missing
    except ValueError as wrong:
        raise LlmError(f"CIRCUIT_COURT_LLM={config.llm!r} cannot be used: {_first_line(wrong)}") from wrong
    except Exception as failed:  # each provider's package has its own error classes
        raise explain(failed, config.llm) from failed


def explain(failure: BaseException, llm: str) -> LlmError:
    """Turn whatever a provider's package raised into one sentence with a remedy; never shows a key."""
    provider = llm.partition(":")[0]
    words = f"{type(failure).__name__} {_first_line(failure)}".lower()
    if "api_key" in words or "api key" in words or "authentication" in words or "401" in words:
        return LlmError(
            f"{llm} refused the key, or none is set. Set CIRCUIT_COURT_LLM_API_KEY to a valid key for {provider!r}, "
            "or unset CIRCUIT_COURT_LLM to use the built-in analyst."
        )
    if "connect" in words or "timeout" in words or "timed out" in words:
        return LlmError(
            f"{llm} cannot be reached. Check that its server runs and that CIRCUIT_COURT_LLM_BASE_URL is right, or "
            "unset CIRCUIT_COURT_LLM to use the built-in analyst."
        )
    return LlmError(
        f"{llm} failed: {type(failure).__name__}: {_first_line(failure)}. Ask again, or unset CIRCUIT_COURT_LLM."
    )


def _first_line(failure: BaseException) -> str:
    line = (str(failure).strip().splitlines() or [type(failure).__name__])[0][:200]
    return _KEY.sub("[hidden]", line)
