"""Fetching a paper or page by address: off until the user allows it, and guarded when it is on.

http and https only, on their own ports, without credentials. A host name is resolved once; if any of its addresses is
not public the fetch is refused, and the connection goes to the very address that was checked, so that a name cannot point
elsewhere a moment later. Every redirect is checked the same way. Size, time and redirects are capped. An arXiv id is
tried as HTML first, then as PDF. Nothing here reads what it fetched.
"""

import ipaddress
import re
import socket
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import httpx

from kb.errors import FetchRefusedError

MAX_BYTES = 50_000_000
SECONDS = 60.0
REDIRECTS = 5
_ENDINGS = {
    "application/pdf": ".pdf",
    "text/html": ".html",
    "application/xhtml+xml": ".html",
    "text/markdown": ".md",
    "text/plain": ".txt",
    "application/x-bibtex": ".bib",
}
_ARXIV = re.compile(
    r"^(?:arxiv:|https?://arxiv\.org/(?:abs|pdf|html)/)?(\d{4}\.\d{4,5})(v\d+)?(?:\.pdf)?$", re.IGNORECASE
)
Resolve = Callable[[str, int], Sequence[str]]


def resolve(host: str, port: int) -> list[str]:
    """The addresses of a host name."""
    return [str(found[4][0]) for found in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]


def is_public(address: str) -> bool:
    """Whether an address may be fetched from: globally routable, not multicast, not IPv4 hidden in IPv6."""
    found = ipaddress.ip_address(address)
    if isinstance(found, ipaddress.IPv6Address):
        inner = found.ipv4_mapped or found.sixtofour or (found.teredo or (None, None))[1]
        if inner is not None:
            return is_public(str(inner))
        if found in ipaddress.ip_network("64:ff9b::/96"):
            return is_public(str(ipaddress.IPv4Address(int(found) & 0xFFFFFFFF)))
    return found.is_global and not found.is_multicast


def addresses_of(name: str) -> list[str]:
    """The addresses to try for an arXiv id or an address."""
    found = _ARXIV.match(name.strip())
    if not found:
        return [name.strip()]
    paper = found[1] + (found[2] or "")
    return [f"https://arxiv.org/html/{paper}", f"https://arxiv.org/pdf/{paper}"]


@dataclass(frozen=True)
class Fetcher:
    """Fetches into a folder. `allowed` is the user's word; the other two can be replaced to fetch inside a closed net."""

    allowed: bool
    resolve: Resolve = resolve
    public: Callable[[str], bool] = is_public
    ports: tuple[int, ...] = (80, 443)

    def fetch(self, name: str, folder: Path) -> tuple[Path, str]:
        """Fetch an address or arXiv id; the file and the address it finally came from.

        Raises FetchRefusedError that says which rule or server refused.
        """
        if not self.allowed:
            raise FetchRefusedError(
                "Fetching from the network is off. Allow it with CIRCUIT_COURT_FETCH=true, or add a file that you downloaded."
            )
        refused: FetchRefusedError | None = None
        for address in addresses_of(name):
            try:
                return self._follow(address, folder)
            except FetchRefusedError as error:
                refused = error
        assert refused is not None
        raise refused

    def _follow(self, address: str, folder: Path) -> tuple[Path, str]:
        deadline = time.monotonic() + SECONDS
        for _ in range(REDIRECTS + 1):
            host, port, pinned = self._check(address)
            parts = urlsplit(address)
            literal = f"[{pinned}]" if ":" in pinned else pinned
            target = parts._replace(netloc=f"{literal}:{port}").geturl()
            with httpx.Client(timeout=15.0, trust_env=False, follow_redirects=False) as client:
                request = client.build_request(
                    "GET", target, headers={"Host": parts.netloc, "User-Agent": "circuit-court"}
                )
                request.extensions["sni_hostname"] = host
                try:
                    response = client.send(request, stream=True)
                    if response.is_redirect:
                        address = urljoin(address, response.headers["location"])
                        continue
                    return self._save(response, address, folder, deadline), address
                except httpx.HTTPError as error:
                    raise FetchRefusedError(f"{address} could not be fetched ({error}). Try again later.") from error
        raise FetchRefusedError(f"{address} redirects more than {REDIRECTS} times. Give the final address.")

    def _check(self, address: str) -> tuple[str, int, str]:
        """(host, port, the checked address to connect to)."""
        parts = urlsplit(address)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise FetchRefusedError(f"{address!r} is not a web address. Give one that starts with https://.")
        if parts.username or parts.password:
            raise FetchRefusedError(f"The address of {parts.hostname} holds a user name or password. Leave them out.")
        port = parts.port or (443 if parts.scheme == "https" else 80)
        if port not in self.ports:
            raise FetchRefusedError(
                f"{address!r} asks for port {port}; only {', '.join(map(str, self.ports))} are used."
            )
        try:
            found = list(self.resolve(parts.hostname, port))
        except OSError as error:
            raise FetchRefusedError(f"{parts.hostname} has no address ({error}). Check the spelling.") from error
        closed = [name for name in found if not self.public(name)]
        if closed or not found:
            raise FetchRefusedError(
                f"{parts.hostname} is not a public address ({', '.join(closed) or 'none'}). Download the file and add it."
            )
        return parts.hostname, port, found[0]

    @staticmethod
    def _save(response: httpx.Response, address: str, folder: Path, deadline: float) -> Path:
        if response.status_code != 200:
            raise FetchRefusedError(f"{address} answered with status {response.status_code}. Check the address.")
        kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
        ending = _ENDINGS.get(kind)
        if ending is None:
            raise FetchRefusedError(f"{address} is {kind or 'of no known kind'}; readable are {', '.join(_ENDINGS)}.")
        name = re.sub(r"[^\w.-]+", "-", urlsplit(address).path).strip("-.")[-80:] or "page"
        path = folder / (name if name.endswith(ending) else name + ending)
        size = 0
        with path.open("wb") as file:
            for chunk in response.iter_bytes():
                size += len(chunk)
                if size > MAX_BYTES:
                    raise FetchRefusedError(
                        f"{address} is larger than {MAX_BYTES / 1e6:.0f} MB. Download and split it."
                    )
                if time.monotonic() > deadline:
                    raise FetchRefusedError(
                        f"{address} took longer than {SECONDS:.0f} s. Download it and add the file."
                    )
                file.write(chunk)
        return path
