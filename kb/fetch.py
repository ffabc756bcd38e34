"""Fetching a paper or page by address: off until the user allows it, and guarded when it is on.

http and https only, on their own ports, without credentials. A host name is resolved once; if any of its addresses is
not public the fetch is refused, and the connection goes to the very address that was checked, so that a name cannot point
elsewhere a moment later. Every redirect is checked the same way. Size, time (from the first connection to the last byte) and
redirects are capped; what is sent packed is refused, because a small packet may unpack to anything. An arXiv id is tried as HTML
first, then as PDF. Nothing here reads what it fetched.
"""

import ipaddress
import re
import socket
import ssl
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urljoin, urlsplit

import httpcore
import httpx

from kb.errors import FetchRefusedError

MAX_BYTES = 50_000_000
SECONDS = 60.0
PIECE = 15.0  # seconds to wait for one piece of an answer
REDIRECTS = 5
_ENDINGS = {
    "application/pdf": ".pdf",
    "text/html": ".html",
    "application/xhtml+xml": ".html",
    "text/markdown": ".md",
    "text/plain": ".txt",
    "application/x-bibtex": ".bib",
}
_VAGUE = ("", "text/plain", "application/octet-stream")  # kinds beside which the ending of the address says more
_ARXIV = re.compile(
    r"^(?:arxiv:|https?://arxiv\.org/(?:abs|pdf|html)/)?(\d{4}\.\d{4,5})(v\d+)?(?:\.pdf)?$", re.IGNORECASE
)
_OLD_ARXIV = re.compile(
    r"^(?:arxiv:|https?://arxiv\.org/(?:abs|pdf)/)([a-z-]+(?:\.[A-Z]{2})?/\d{7}(?:v\d+)?)(?:\.pdf)?$", re.IGNORECASE
)
_NOT_PUBLIC_4 = [ipaddress.ip_network(net) for net in ("192.0.0.0/24", "192.88.99.0/24")]
_GLOBAL_6 = ipaddress.ip_network("2000::/3")
_NOT_PUBLIC_6 = [ipaddress.ip_network(net) for net in ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20")]
_TRANSLATED = ipaddress.ip_network("64:ff9b::/96")
_FAILED = (httpcore.NetworkError, httpcore.TimeoutException, httpcore.ProtocolError, httpcore.UnsupportedProtocol)
Resolve = Callable[[str, int], Sequence[str]]


def resolve(host: str, port: int) -> list[str]:
    """The addresses of a host name."""
    return [str(found[4][0]) for found in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]


def is_public(address: str) -> bool:
    """Whether an address may be fetched from: one of the public internet, whatever IPv6 form it is written in."""
    found = ipaddress.ip_address(address)
    if isinstance(found, ipaddress.IPv4Address):
        return found.is_global and not found.is_multicast and not any(found in net for net in _NOT_PUBLIC_4)
    if found.ipv4_mapped is not None:
        return is_public(str(found.ipv4_mapped))
    if found in _TRANSLATED:  # how networks without IPv4 reach it
        return is_public(str(ipaddress.IPv4Address(int(found) & 0xFFFFFFFF)))
    tunnelled = (int(found) >> 32) & 0xFDFFFFFF == 0x5EFE  # an IPv4 address in the last four bytes (ISATAP)
    plain = found in _GLOBAL_6 and not any(found in net for net in _NOT_PUBLIC_6)
    return plain and found.is_global and not tunnelled


def addresses_of(name: str) -> list[str]:
    """The addresses to try for an arXiv id or an address."""
    if old := _OLD_ARXIV.match(name.strip()):
        return [f"https://arxiv.org/pdf/{old[1]}"]
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

    def fetch(self, name: str, folder: Path, *, html: bool = True) -> tuple[Path, str]:
        """Fetch an address or arXiv id; the file and the address it finally came from. Without `html` an arXiv id is
        fetched as PDF at once.

        Raises FetchRefusedError that says which rule or server refused.
        """
        if not self.allowed:
            raise FetchRefusedError(
                "Fetching from the network is off. Allow it with CIRCUIT_COURT_FETCH=true, or add a file that you downloaded."
            )
        refused: FetchRefusedError | None = None
        addresses = addresses_of(name)
        for address in addresses if html else addresses[-1:]:
            try:
                return self._follow(address, folder)
            except FetchRefusedError as error:
                refused = error
        assert refused is not None
        raise refused

    def _follow(self, address: str, folder: Path) -> tuple[Path, str]:
        deadline = time.monotonic() + SECONDS
        for _ in range(REDIRECTS + 1):
            url, pinned = self._check(address)
            target = httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path)
            headers = [(b"User-Agent", b"circuit-court"), (b"Accept-Encoding", b"identity")]
            with httpcore.ConnectionPool(network_backend=_Pinned(pinned, deadline), retries=0) as pool:
                try:
                    with pool.stream("GET", target, headers=headers) as response:
                        sent = {
                            name.decode("latin-1").lower(): value.decode("latin-1") for name, value in response.headers
                        }
                        if response.status in (301, 302, 303, 307, 308) and "location" in sent:
                            address = _joined(address, sent["location"])
                            continue
                        return _save(response, sent, address, folder), address
                except _FAILED as error:
                    if time.monotonic() > deadline:
                        raise FetchRefusedError(
                            f"{address} took longer than {SECONDS:.0f} s. Download it and add the file."
                        ) from error
                    raise FetchRefusedError(f"{address} could not be fetched ({error}). Try again later.") from error
        raise FetchRefusedError(f"{address} redirects more than {REDIRECTS} times. Give the final address.")

    def _check(self, address: str) -> tuple[httpx.URL, str]:
        """The address taken apart, and the checked network address to connect to."""
        try:
            url = httpx.URL(address)
        except (httpx.InvalidURL, ValueError) as error:
            raise FetchRefusedError(f"{address!r} is not a web address ({error}). Check the spelling.") from error
        if url.scheme not in ("http", "https") or not url.host:
            raise FetchRefusedError(f"{address!r} is not a web address. Give one that starts with https://.")
        if url.userinfo:
            raise FetchRefusedError(f"The address of {url.host} holds a user name or password. Leave them out.")
        port = url.port or (443 if url.scheme == "https" else 80)
        if port not in self.ports:
            raise FetchRefusedError(
                f"{address!r} asks for port {port}; only {', '.join(map(str, self.ports))} are used."
            )
        host = url.raw_host.decode("ascii")
        try:
            found = list(self.resolve(host, port))
            closed = [name for name in found if not self.public(name)]
        except (OSError, ValueError) as error:  # a name that cannot be one is a ValueError
            raise FetchRefusedError(f"{host} has no address ({error}). Check the spelling.") from error
        if closed or not found:
            raise FetchRefusedError(
                f"{host} is not a public address ({', '.join(closed) or 'none'}). Download the file and add it."
            )
        return url, found[0]


def _joined(address: str, location: str) -> str:
    try:
        return urljoin(address, location)
    except ValueError as error:
        raise FetchRefusedError(
            f"{address} redirects to {location!r}, which is no address. Give the final address."
        ) from error


def _save(response: httpcore.Response, sent: dict[str, str], address: str, folder: Path) -> Path:
    """Write what a server sends to a file whose ending says what it is."""
    if response.status != 200:
        raise FetchRefusedError(f"{address} answered with status {response.status}. Check the address.")
    coding = sent.get("content-encoding", "identity").strip().lower()
    if coding not in ("", "identity"):
        raise FetchRefusedError(
            f"{address} is sent packed ({coding}), which was not asked for. Download it and add the file."
        )
    kind = sent.get("content-type", "").partition(";")[0].strip().lower()
    name = re.sub(r"[^\w.-]+", "-", unquote(urlsplit(address).path)).strip("-.")[-80:] or "page"
    own = Path(name).suffix.lower()
    ending = own if kind in _VAGUE and own in _ENDINGS.values() else _ENDINGS.get(kind)
    if ending is None:
        raise FetchRefusedError(f"{address} is {kind or 'of no known kind'}; readable are {', '.join(_ENDINGS)}.")
    path = folder / (name if name.endswith(ending) else name + ending)
    size = 0
    with path.open("wb") as file:
        for chunk in response.iter_stream():
            size += len(chunk)
            if size > MAX_BYTES:
                raise FetchRefusedError(f"{address} is larger than {MAX_BYTES / 1e6:.0f} MB. Download and split it.")
            file.write(chunk)
    return path


class _Pinned(httpcore.NetworkBackend):
    """Connects to one checked address, whatever the name of the host; all of it ends at the deadline."""

    def __init__(self, address: str, deadline: float) -> None:
        self.address = address
        self.deadline = deadline

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        stream = httpcore.SyncBackend().connect_tcp(self.address, port, timeout=_left(self.deadline))
        return _Timed(stream, self.deadline)


class _Timed(httpcore.NetworkStream):
    """A stream that waits no longer for any piece than the deadline leaves, so that a server that drips cannot hold it."""

    def __init__(self, stream: httpcore.NetworkStream, deadline: float) -> None:
        self.stream = stream
        self.deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self.stream.read(max_bytes, timeout=_left(self.deadline))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self.stream.write(buffer, timeout=_left(self.deadline))

    def close(self) -> None:
        self.stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        secure = self.stream.start_tls(ssl_context, server_hostname, timeout=_left(self.deadline))
        return _Timed(secure, self.deadline)

    def get_extra_info(self, info: str) -> Any:
        return self.stream.get_extra_info(info)


def _left(deadline: float) -> float:
    """The seconds to wait for the next piece. Raises httpcore.ReadTimeout when the deadline has passed."""
    left = deadline - time.monotonic()
    if left <= 0:
        raise httpcore.ReadTimeout("the time is over")
    return min(PIECE, left)
