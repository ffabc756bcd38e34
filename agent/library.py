"""Where a data folder's library is and which embedder reads it: the one place that opens it."""

from agent.config import Config
from agent.packaged import PACKAGED, is_whole
from kb.chroma_server import ChromaServer
from kb.library import Library

FOLDER = "library"


def open_library(config: Config) -> Library:
    """The library of a data folder, with the packaged embedder when that has been fetched.

    Without an embedder searches are lexical and say so. Raises KbError when the folder holds no readable library.
    """
    embedder = PACKAGED["minilm"]
    folder = config.models_dir / embedder.folder
    home = config.home / FOLDER
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    found = folder if is_whole(embedder, folder) else None
    key = config.chroma_api_key.get_secret_value() if config.chroma_api_key else None
    server = config.chroma_url and ChromaServer(config.chroma_url, key, config.chroma_tenant, config.chroma_database)
    return Library.open(home, embedder_folder=found, chroma=server or None, reranker_folder=config.reranker)
