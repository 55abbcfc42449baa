"""A server that speaks ``/v1/chat/completions``, on loopback, and misbehaves as it is told to."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, TypeAlias

Act: TypeAlias = Callable[["Answering", dict[str, Any]], None]


class Answering(BaseHTTPRequestHandler):
    """Answers one request as the server's next act says; the last act goes on for ever."""

    server: ChatServer
    protocol_version = "HTTP/1.0"

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.asked.append({"path": self.path, "key": self.headers["Authorization"], **body})
        acts = self.server.acts
        (acts.pop(0) if len(acts) > 1 else acts[0])(self, body)

    def refuse(self, status: int, said: str, **headers: str) -> None:
        """Answer with an error."""
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(json.dumps({"error": {"message": said}}).encode())

    def begin(self) -> None:
        """Begin a stream of events."""
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.end_headers()

    def event(self, value: object) -> None:
        """Send one event."""
        self.wfile.write(f"data: {value if isinstance(value, str) else json.dumps(value)}\n\n".encode())
        self.wfile.flush()

    def say(self, *pieces: str, finish: str | None = None) -> None:
        """Send pieces of text."""
        for piece in pieces:
            self.event({"choices": [{"index": 0, "delta": {"content": piece}, "finish_reason": None}]})
        if finish:
            self.event({"choices": [{"index": 0, "delta": {}, "finish_reason": finish}]})

    def log_message(self, *_: object) -> None:
        """Say nothing."""


class ChatServer(ThreadingHTTPServer):
    """Keeps what it was asked."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answering)
        self.asked: list[dict[str, Any]] = []
        self.acts: list[Act] = [fluent]

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self.server_address[1]}/v1"


@contextmanager
def serving() -> Iterator[ChatServer]:
    """A server that runs in the block."""
    with ChatServer() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


def fluent(to: Answering, body: dict[str, Any]) -> None:
    """Say three pieces, count, and be done."""
    to.begin()
    to.say("The heron", " stands ", "still.", finish="stop")
    if body.get("stream_options"):
        to.event({"choices": [], "usage": {"prompt_tokens": 11, "completion_tokens": 5, "total_tokens": 16}})
    to.event("[DONE]")


def refusing(status: int, said: str, **headers: str) -> Act:
    """Refuse."""
    return lambda to, _: to.refuse(status, said, **headers)


def refusing_option(option: str) -> Act:
    """Refuse requests with an option; answer others."""

    def act(to: Answering, body: dict[str, Any]) -> None:
        if option in body:
            to.refuse(400, f"{option} is not supported")
        else:
            fluent(to, body)

    return act


def breaking_off(to: Answering, _: dict[str, Any]) -> None:
    """Stop in the middle."""
    to.begin()
    to.say("The heron", " stands")


def failing_midway(to: Answering, _: dict[str, Any]) -> None:
    """Send an error in place of the rest."""
    to.begin()
    to.say("The heron")
    to.event({"error": {"message": "out of memory"}})


def garbling(to: Answering, _: dict[str, Any]) -> None:
    """Send what is no JSON."""
    to.begin()
    to.event("{not json")


def garbling_midway(to: Answering, _: dict[str, Any]) -> None:
    """Send what is no JSON after a piece."""
    to.begin()
    to.say("The heron")
    to.event("{not json")


def idling(to: Answering, _: dict[str, Any]) -> None:
    """Say one piece, then nothing for long."""
    to.begin()
    to.say("The heron")
    time.sleep(1.5)


def silent(to: Answering, _: dict[str, Any]) -> None:
    """Be done without a word."""
    to.begin()
    to.event("[DONE]")


def calling(to: Answering, _: dict[str, Any]) -> None:
    """Want a tool called, its arguments in pieces."""
    to.begin()
    for call in (
        {"index": 0, "id": "c1", "type": "function", "function": {"name": "search", "arguments": '{"query"'}},
        {"index": 0, "function": {"arguments": ': "heron"}'}},
    ):
        to.event({"choices": [{"index": 0, "delta": {"tool_calls": [call]}, "finish_reason": None}]})
    to.say(finish="tool_calls")
    to.event("[DONE]")
