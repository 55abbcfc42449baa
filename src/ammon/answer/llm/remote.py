"""A language model on any server that speaks OpenAI's ``POST /v1/chat/completions``, over its own client."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from ammon.chat import Finish, Generation, Message, ToolCall, Usage, Wish
from ammon.embed.endpoint import address
from ammon.errors import AmmonError, InputError, ModelNotFound, ModelUnavailable
from ammon.extras import need

EXTRA: Final = "openai"
ATTEMPTS: Final = 4
SECONDS_TO_CONNECT: Final = 10.0
BYTES_A_TOKEN: Final = 3
"""Of UTF-8: English has four to a token and Chinese three to a character, so this counts rather too many."""

_FINISHES: Final[Mapping[str, Finish]] = {"stop": "stop", "length": "length", "tool_calls": "tools"}
_FITS: Final = "Answer with nothing but JSON that fits this schema:\n"


@dataclass(frozen=True, slots=True)
class Prices:
    """What a million tokens cost, read and written; 0 where nobody said."""

    read: float = 0.0
    written: float = 0.0

    def of(self, read: int, written: int) -> float:
        """The cost of so many tokens."""
        return (read * self.read + written * self.written) / 1e6


class RemoteLLM:
    """A model at an address. Sends messages there and nowhere else, and follows no redirection.

    It is asked again, up to `ATTEMPTS` times in all, where it is busy or does not answer; once words have come, an
    answer that breaks off is told as ``cut``.
    """

    def __init__(
        self,
        name: str,
        url: str,
        *,
        key: str = "",
        window: int = 8192,
        timeout: float = 60.0,
        prices: Prices = Prices(),
    ) -> None:
        """``timeout`` is in seconds, for the first word and between any two. Raises: MissingExtra, InputError."""
        openai = need("openai", extra=EXTRA)
        self.name = name
        self.window = window
        self.address = address(url).removesuffix("/embeddings")
        self._openai = openai
        self._prices = prices
        self._dropped: set[str] = set()
        """Options that the server refused."""
        # A key is always given: without one, the client takes that of OpenAI out of the environment, for any server.
        self._client = openai.OpenAI(
            api_key=key or "none",
            base_url=self.address,
            timeout=openai.Timeout(timeout, connect=min(timeout, SECONDS_TO_CONNECT)),
            max_retries=ATTEMPTS - 1,
            http_client=openai.DefaultHttpxClient(follow_redirects=False),
        )

    def count(self, text: str) -> int:
        """An estimate of a text's tokens, rather too high."""
        return math.ceil(len(text.encode("utf-8", "replace")) / BYTES_A_TOKEN)

    def stream(self, messages: Sequence[Message], wish: Wish | None = None) -> Iterator[str | Generation]:
        """The answer, piece by piece, then whole. Raises: ModelUnavailable, ModelNotFound, InputError."""
        wish = wish or Wish()
        read = sum(self.count(message.text) for message in messages)
        if read + wish.max_tokens > self.window:
            raise InputError(
                f"About {read} tokens, and {wish.max_tokens} for the answer, do not fit into the {self.window} of "
                f"{self.name}.",
                hint="Give it less text, or set llm_window if the model takes more.",
            )
        answer = _Answer()
        try:
            for event in self._events(messages, wish):
                piece = answer.take(event)
                if piece:
                    yield piece
        except self._failures() as failure:
            error = self._told(failure)
            if not answer.begun:
                raise error from failure
            answer.remark = str(error)
        if not answer.finish and not answer.remark:
            answer.remark = f"{self.address} stopped in the middle of an answer."
        yield self._whole(answer, wish, read)

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _failures(self) -> tuple[type[Exception], ...]:
        # While an answer is read, errors of the connection come as they are.
        import httpx2

        return (self._openai.APIError, httpx2.HTTPError, ValueError)

    def _events(self, messages: Sequence[Message], wish: Wish) -> Iterator[Any]:
        """What the server sends; asked again without what it refuses."""
        while True:
            options = {name: value for name, value in _options(wish).items() if name not in self._dropped}
            asked = [_message(message) for message in messages]
            if wish.schema is not None and "response_format" in self._dropped:
                asked[-1]["content"] += f"\n\n{_FITS}{json.dumps(dict(wish.schema), ensure_ascii=False)}"
            try:
                with self._client.chat.completions.create(
                    model=self.name, messages=asked, stream=True, **options
                ) as events:
                    yield from events
                return
            except (self._openai.BadRequestError, self._openai.UnprocessableEntityError) as refusal:
                told = next((name for name in ("response_format", "stream_options") if name in options), "")
                if not told or _too_long(str(refusal)):
                    raise
                self._dropped.add(told)

    def _whole(self, answer: _Answer, wish: Wish, read: int) -> Generation:
        text = "".join(answer.pieces)
        tokens = answer.usage or (read, self.count(text))
        return Generation(
            text,
            answer.wanted(),
            "cut" if answer.remark else _FINISHES.get(answer.finish, "stop"),
            Usage(*tokens, self._prices.of(*tokens), counted=answer.usage is not None),
            held=wish.schema is not None and "response_format" not in self._dropped,
            remark=answer.remark,
        )

    def _told(self, failure: Exception) -> AmmonError:
        """The error as Ammon's, with what to do now. The key is in none of them."""
        openai, said = self._openai, str(failure)[:500] or type(failure).__name__
        if isinstance(failure, openai.AuthenticationError | openai.PermissionDeniedError):
            return ModelUnavailable(f"{self.address} refused the key: {said}", hint="Check AMMON_LLM_KEY.")
        if isinstance(failure, openai.NotFoundError):
            return ModelNotFound(
                f"{self.address} does not serve '{self.name}': {said}", hint="Check the model's name and llm_url."
            )
        if isinstance(failure, openai.BadRequestError) and _too_long(said):
            return InputError(f"{self.name} takes less text than that: {said}", hint="Set llm_window to what it takes.")
        if isinstance(failure, openai.APITimeoutError):
            return ModelUnavailable(f"{self.address} did not answer in time.", hint="Try again, or raise llm_timeout.")
        if isinstance(failure, openai.APIConnectionError):
            cause = failure.__cause__ or failure
            return ModelUnavailable(f"{self.address} cannot be reached: {cause}", hint="Is the server running?")
        return ModelUnavailable(f"{self.address} failed: {said}", hint="Try again; look at the server's log.")


@dataclass(slots=True)
class _Answer:
    """What has come of an answer so far."""

    pieces: list[str] = field(default_factory=list)
    calls: dict[int, list[str]] = field(default_factory=dict)
    finish: str = ""
    usage: tuple[int, int] | None = None
    remark: str = ""

    @property
    def begun(self) -> bool:
        """Whether anything of it was given away."""
        return bool(self.pieces or self.calls)

    def take(self, event: Any) -> str:
        """Take in one event; returns the text it brings. Raises: ValueError for what is none."""
        if getattr(event, "usage", None):
            self.usage = (int(event.usage.prompt_tokens), int(event.usage.completion_tokens))
        if not getattr(event, "choices", None):
            return ""
        choice = event.choices[0]
        self.finish = choice.finish_reason or self.finish
        for part in getattr(choice.delta, "tool_calls", None) or ():
            kept = self.calls.setdefault(part.index, ["", "", ""])
            given = (part.id, part.function.name, part.function.arguments) if part.function else (part.id, "", "")
            self.calls[part.index] = [before + (new or "") for before, new in zip(kept, given, strict=True)]
        piece = getattr(choice.delta, "content", None) or ""
        if not isinstance(piece, str):
            raise ValueError("A piece of the answer is no text.")  # noqa: TRY004 as any malformed answer
        if piece:
            self.pieces.append(piece)
        return piece

    def wanted(self) -> tuple[ToolCall, ...]:
        """The calls of tools, in order."""
        return tuple(ToolCall(*self.calls[number]) for number in sorted(self.calls))


def _options(wish: Wish) -> dict[str, Any]:
    options: dict[str, Any] = {
        "max_tokens": wish.max_tokens,
        "temperature": wish.temperature,
        "stream_options": {"include_usage": True},
    }
    if wish.stop:
        options["stop"] = list(wish.stop)
    if wish.seed is not None:
        options["seed"] = wish.seed
    if wish.schema is not None:
        schema = {"name": "answer", "schema": dict(wish.schema), "strict": True}
        options["response_format"] = {"type": "json_schema", "json_schema": schema}
    if wish.tools:
        options["tools"] = [
            {"type": "function", "function": {"name": t.name, "description": t.description, "parameters": t.parameters}}
            for t in wish.tools
        ]
    return options


def _message(message: Message) -> dict[str, Any]:
    told: dict[str, Any] = {"role": message.role, "content": message.text}
    if message.calls:
        told["tool_calls"] = [
            {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}
            for call in message.calls
        ]
    if message.answers:
        told["tool_call_id"] = message.answers
    return told


def _too_long(said: str) -> bool:
    return any(word in said.lower() for word in ("context length", "context_length", "maximum context", "too long"))
