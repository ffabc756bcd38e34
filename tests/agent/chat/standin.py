"""An OpenAI-compatible server on loopback that plays a script and records what it was asked.

Each scripted reply is text, or a list of (tool, arguments) calls, or a status code to fail with. Streams when asked.
"""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Reply = str | int | list[tuple[str, dict[str, Any]]]


@dataclass
class StandIn:
    """What was asked so far, and where the server listens."""

    url: str
    requests: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)


def _delta(reply: str | list[tuple[str, dict[str, Any]]]) -> dict[str, Any]:
    if isinstance(reply, str):
        return {"role": "assistant", "content": reply}
    calls = [
        {
            "index": i,
            "id": f"call_{i}",
            "type": "function",
            "function": {"name": name, "arguments": json.dumps(arguments)},
        }
        for i, (name, arguments) in enumerate(reply)
    ]
    return {"role": "assistant", "content": None, "tool_calls": calls}


def _usage(read: int, written: int) -> dict[str, int]:
    return {"prompt_tokens": read, "completion_tokens": written, "total_tokens": read + written}


@contextmanager
def standin(script: list[Reply], *, tokens: tuple[int, int] | None = None) -> Iterator[StandIn]:
    """Serve `script`, one reply for each request; a request too many gets status 500.

    `tokens`: what each reply reports as read and written; without it the server counts nothing.
    """
    left = list(script)
    counted = {} if tokens is None else {"usage": _usage(*tokens)}
    seen: StandIn

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, format: str, *args: Any) -> None:
            """Quiet."""

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            seen.requests.append(body)
            seen.headers.append({k.lower(): v for k, v in self.headers.items()})
            reply: Reply = left.pop(0) if left else 500
            if isinstance(reply, int):
                message = f"no, {self.headers.get('Authorization')}"
                self._send(reply, "application/json", json.dumps({"error": {"message": message, "code": reply}}))
                return
            reason = "stop" if isinstance(reply, str) else "tool_calls"
            base = {"id": "x", "created": 0, "model": body["model"]}
            if body.get("stream"):
                choice = {"index": 0, "delta": _delta(reply), "finish_reason": None}
                end = {"index": 0, "delta": {}, "finish_reason": reason}
                chunks = [{**base, "object": "chat.completion.chunk", "choices": [c]} for c in (choice, end)]
                if counted and body.get("stream_options", {}).get("include_usage"):
                    chunks.append({**base, "object": "chat.completion.chunk", "choices": [], **counted})
                text = "".join(f"data: {json.dumps(c)}\n\n" for c in chunks) + "data: [DONE]\n\n"
                self._send(200, "text/event-stream", text)
                return
            choice = {"index": 0, "message": _delta(reply), "finish_reason": reason}
            whole = {**base, "object": "chat.completion", "choices": [choice], **counted}
            self._send(200, "application/json", json.dumps(whole))

        def _send(self, status: int, kind: str, text: str) -> None:
            data = text.encode()
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    seen = StandIn(f"http://127.0.0.1:{server.server_address[1]}/v1")
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield seen
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
