"""Where vectors are kept when they are not kept beside the library: a Chroma server, or Chroma's cloud."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class ChromaServer:
    """Address (`http://host:port`, `https://api.trychroma.com`) and, where it asks for one, a key that is never shown."""

    url: str
    api_key: str | None = field(default=None, repr=False)
    tenant: str = "default_tenant"
    database: str = "default_database"
