"""A server of embeddings on this machine, which also misbehaves."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Misdeed = Callable[[BaseHTTPRequestHandler, list[str]], None]


@dataclass
class Server:
    """An embeddings server; each of ``misdeeds`` answers one request in place of the right answer."""

    url: str = ""
    misdeeds: list[Misdeed] = field(default_factory=list)
    requests: list[dict[str, Any]] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)


def vector_of(text: str) -> list[float]:
    return [len(text) + 1.0, float(sum(map(ord, text)) % 97), -3.0]


def reply(request: BaseHTTPRequestHandler, status: int, content: Any, **headers: str) -> None:
    body = json.dumps(content).encode()
    request.send_response(status)
    for name, value in {"Content-Length": str(len(body)), **headers}.items():
        request.send_header(name.replace("_", "-"), value)
    request.end_headers()
    request.wfile.write(body)


def embeddings(texts: list[str]) -> dict[str, Any]:
    data = [{"index": at, "embedding": vector_of(text)} for at, text in enumerate(texts)]
    return {"data": data[::-1]}  # the order of the list is no promise; the index is


@contextmanager
def serving() -> Iterator[Server]:
    """A server that answers for as long as the block lasts."""
    state = Server()

    class Answers(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            state.requests.append(request)
            state.keys.append(self.headers.get("Authorization", ""))
            state.paths.append(self.path)
            if state.misdeeds:
                state.misdeeds.pop(0)(self, request["input"])
            else:
                reply(self, 200, embeddings(request["input"]))

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    listening = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    listening.daemon_threads = True
    thread = threading.Thread(target=listening.serve_forever, args=(0.01,))
    thread.start()
    state.url = f"http://127.0.0.1:{listening.server_port}/v1"
    yield state
    listening.shutdown()
    thread.join()
    listening.server_close()
