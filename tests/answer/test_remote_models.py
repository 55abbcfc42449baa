"""A language model on a server: what it says comes through, and what goes wrong is told with what to do."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from ammon.answer.llm.opening import open_llm
from ammon.answer.llm.remote import Prices, RemoteLLM
from ammon.chat import Generation, Message, ToolCall, ToolSpec, Usage, Wish
from ammon.errors import InputError, ModelNotFound, ModelUnavailable, SettingsError
from ammon.ports import complete
from ammon.settings import Settings, load_settings
from answer import chat_server
from answer.chat_server import Act, ChatServer, refusing, serving

pytest.importorskip("openai", reason="language models on servers are an extra: pip install 'ammon[openai]'")

ASKED = [Message("system", "Be brief."), Message("user", "What does the heron do?")]
SCHEMA = {"type": "object", "properties": {"answer": {"type": "string"}}, "required": ["answer"]}


@pytest.fixture
def server() -> Iterator[ChatServer]:
    with serving() as started:
        yield started


@pytest.fixture
def model(server: ChatServer) -> Iterator[RemoteLLM]:
    opened = RemoteLLM("heron-1", server.url, key="secret-key", timeout=0.5, prices=Prices(2.0, 10.0))
    yield opened
    opened.close()


def test_pieces_come_as_they_are_said_and_then_the_whole(server: ChatServer, model: RemoteLLM) -> None:
    *pieces, whole = model.stream(ASKED)
    assert pieces == ["The heron", " stands ", "still."]
    assert whole == Generation("The heron stands still.", usage=Usage(11, 5, 7.2e-5))
    (asked,) = server.asked
    assert asked["path"] == "/v1/chat/completions"
    assert asked["key"] == "Bearer secret-key"
    assert asked["model"] == "heron-1"
    assert asked["messages"] == [{"role": each.role, "content": each.text} for each in ASKED]


def test_what_is_wished_for_is_asked_for(server: ChatServer, model: RemoteLLM) -> None:
    tool = ToolSpec("search", "Find.", {"type": "object"})
    wish = Wish(max_tokens=7, temperature=0.5, stop=("END",), schema=SCHEMA, tools=(tool,), seed=3)
    assert complete(model, ASKED, wish).held
    asked = server.asked[0]
    assert (asked["max_tokens"], asked["temperature"], asked["stop"], asked["seed"]) == (7, 0.5, ["END"], 3)
    assert asked["response_format"]["json_schema"]["schema"] == SCHEMA
    assert asked["tools"][0]["function"]["name"] == "search"


def test_calls_of_tools_are_joined_and_their_results_given_back(server: ChatServer, model: RemoteLLM) -> None:
    server.acts = [chat_server.calling, chat_server.fluent]
    wanted = complete(model, ASKED)
    assert wanted.calls == (ToolCall("c1", "search", '{"query": "heron"}'),)
    assert wanted.finish == "tools"
    complete(model, [*ASKED, Message("assistant", "", wanted.calls), Message("tool", "Found.", answers="c1")])
    assert [each.get("tool_call_id") for each in server.asked[1]["messages"]] == [None, None, None, "c1"]
    assert server.asked[1]["messages"][2]["tool_calls"][0]["function"]["name"] == "search"


def test_a_server_that_knows_no_schema_is_asked_in_words_and_that_is_remembered(
    server: ChatServer, model: RemoteLLM
) -> None:
    server.acts = [chat_server.refusing_option("response_format")]
    for _ in range(2):
        assert not complete(model, ASKED, Wish(schema=SCHEMA)).held
    assert ["response_format" in each for each in server.asked] == [True, False, False]
    assert '"answer"' in server.asked[-1]["messages"][-1]["content"]


def test_a_server_that_does_not_count_is_estimated(server: ChatServer, model: RemoteLLM) -> None:
    server.acts = [chat_server.refusing_option("stream_options")]
    usage = complete(model, ASKED).usage
    assert not usage.counted
    assert usage.read >= 8
    assert usage.written >= 5


@pytest.mark.parametrize(
    ("act", "said"),
    [
        (chat_server.breaking_off, "in the middle"),
        (chat_server.failing_midway, "out of memory"),
        (chat_server.garbling_midway, "failed"),
        (chat_server.idling, "failed|in time"),
    ],
)
def test_an_answer_that_breaks_off_is_cut_and_says_why(
    server: ChatServer, model: RemoteLLM, act: Act, said: str
) -> None:
    server.acts = [act]
    whole = complete(model, ASKED)
    assert whole.finish == "cut"
    assert whole.text.startswith("The heron")
    assert re.search(said, whole.remark)


@pytest.mark.parametrize(
    ("act", "error", "said"),
    [
        (refusing(401, "bad key"), ModelUnavailable, "refused the key"),
        (refusing(404, "no such model"), ModelNotFound, "does not serve 'heron-1'"),
        (refusing(400, "maximum context length is 512"), InputError, "takes less text"),
        (refusing(400, "temperature"), ModelUnavailable, "temperature"),
        (refusing(307, "elsewhere", Location="http://127.0.0.1:9/"), ModelUnavailable, "failed"),
        (chat_server.garbling, ModelUnavailable, "failed"),
    ],
)
def test_what_never_began_is_an_error_that_says_what_to_do(
    server: ChatServer, model: RemoteLLM, act: Act, error: type[Exception], said: str
) -> None:
    server.acts = [act]
    with pytest.raises(error, match=said) as caught:
        complete(model, ASKED)
    assert caught.value.hint  # type: ignore[attr-defined]
    assert "secret-key" not in str(caught.value) + repr(caught.value)


def test_a_busy_server_is_asked_again(server: ChatServer, model: RemoteLLM) -> None:
    server.acts = [refusing(503, "busy", Retry_After="0"), refusing(429, "later", Retry_After="0"), chat_server.fluent]
    assert complete(model, ASKED).text == "The heron stands still."
    assert len(server.asked) == 3


def test_an_end_without_a_word_is_no_answer(server: ChatServer, model: RemoteLLM) -> None:
    server.acts = [chat_server.silent]
    assert complete(model, ASKED).finish == "cut"


def test_a_server_that_is_not_there_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ammon.answer.llm.remote.ATTEMPTS", 1)
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        model = RemoteLLM("heron-1", f"http://127.0.0.1:{nobody.getsockname()[1]}/v1", timeout=0.5)
        with pytest.raises(ModelUnavailable, match="cannot be reached"):
            complete(model, ASKED)
        model.close()


def test_what_is_too_long_is_never_sent(server: ChatServer) -> None:
    model = RemoteLLM("heron-1", server.url, window=600)
    with pytest.raises(InputError, match="do not fit into the 600"):
        complete(model, [Message("user", "heron " * 100)])
    model.close()
    assert server.asked == []


def test_the_environments_key_of_another_server_is_not_sent(
    server: ChatServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "for-openai-alone")
    model = RemoteLLM("heron-1", server.url)
    complete(model, ASKED)
    model.close()
    assert "for-openai-alone" not in str(server.asked)


def test_the_settings_name_the_model(server: ChatServer, tmp_path: Path) -> None:
    assert open_llm(Settings()) is None
    with pytest.raises(ModelNotFound, match="no server"):
        open_llm(Settings(), "heron-1")
    opened = open_llm(load_settings(None, {"llm": "heron-1", "llm_url": server.url}, {"AMMON_LLM_KEY": "k"}))
    assert opened is not None
    assert complete(opened, ASKED).text
    opened.close()
    assert server.asked[0]["key"] == "Bearer k"
    (tmp_path / "ammon.toml").write_text('llm_key = "k"\n', "utf-8")
    with pytest.raises(SettingsError, match="llm_key"):
        load_settings(tmp_path)
