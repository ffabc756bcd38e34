"""Where a data folder's library is and which embedder reads it: the one place that opens it."""

from pathlib import Path

from agent.config import Config
from agent.packaged import PACKAGED, is_whole
from kb.chroma_server import ChromaServer
from kb.errors import KbError
from kb.library import Library

FOLDER = "library"
READY, WEIGHTS = ("embedder.onnx",), ("config.json", "model.safetensors")


def open_library(config: Config) -> Library:
    """The library of a data folder, with the embedder that the configuration names, or the packaged one when that has been
    fetched.

    Without an embedder searches are lexical and say so. Raises KbError when the folder holds no readable library, or the
    named one no embedder.
    """
    home = config.home / FOLDER
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    key = config.chroma_api_key.get_secret_value() if config.chroma_api_key else None
    server = config.chroma_url and ChromaServer(config.chroma_url, key, config.chroma_tenant, config.chroma_database)
    return Library.open(home, embedder_folder=_embedder(config), chroma=server or None, reranker_folder=config.reranker)


def _embedder(config: Config) -> Path | None:
    """The folder of the embedder; None when there is none."""
    if config.embedder is None:
        packaged = PACKAGED["minilm"]
        folder = config.models_dir / packaged.folder
        return folder if is_whole(packaged, folder) else None
    held = {name for name in ("tokenizer.json", *READY, *WEIGHTS) if (config.embedder / name).is_file()}
    if "tokenizer.json" not in held or not (held >= set(READY) or held >= set(WEIGHTS)):
        raise KbError(
            f"There is no embedder in {config.embedder}: it needs tokenizer.json and either {READY[0]} or {' and '.join(WEIGHTS)}. "
            "Correct or unset CIRCUIT_COURT_EMBEDDER."
        )
    return config.embedder
