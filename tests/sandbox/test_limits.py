"""Each limit of the sandbox holds: a reader that does as its file says is stopped, and the next file is read."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from ammon.errors import SourceError
from ammon.sources.sandbox import process
from ammon.sources.sandbox.pool import Sandbox
from ammon.sources.sandbox.process import Asked, Worker

OBEYING = b"""
import sys, types
def load(data, kind, reading):
    from ammon.sources.loaded import Loaded
    said = {}
    exec(data.split(b"\\n", 1)[1], {"said": said, "reading": reading})
    return Loaded(str(said.get("text", "done")))
obeying = types.ModuleType("ammon.sources.documents.rtf")
obeying.load = load
sys.modules["ammon.sources.documents.rtf"] = obeying
"""
"""Takes the place of a reader, and does what its file says, as one would that a file has taken over."""

SECONDS = 0.7
linux = pytest.mark.skipif(sys.platform != "linux", reason="Landlock and seccomp are Linux's.")


def started_with(place: str) -> str:
    """How a process starts whose reader obeys."""
    return place.replace("from ammon", f"exec(bytes.fromhex('{OBEYING.hex()}')); from ammon")


def told(commands: str) -> Asked:
    """A file that says what its reader is to do."""
    return Asked("file.rtf", b"{\\rtf1}\n" + commands.encode())


def text_of(worker: Worker, commands: str) -> str:
    """What the reader set ``said["text"]`` to."""
    document = worker.read(told(commands))[0].document
    assert document is not None
    return document.text


@pytest.fixture
def worker(monkeypatch: pytest.MonkeyPatch) -> Iterator[Worker]:
    monkeypatch.setattr(process, "_START", started_with(process._START))
    worker = Worker()
    yield worker
    worker.close()


def test_a_reader_that_keeps_to_its_file_is_heard(worker: Worker) -> None:
    assert text_of(worker, "said['text'] = 'A heron.'") == "A heron."


@linux
def test_nothing_is_lacking_on_a_current_kernel(worker: Worker) -> None:
    worker.read(told(""))
    assert worker.lacking == []


DENIED = {
    "connect": "import socket; socket.socket()",
    "abstract sockets": "import socket; socket.socketpair()",
    "run a program": "import os; os.execv('/bin/true', ['true'])",
    "start a program": "import subprocess; subprocess.run(['/bin/true'])",
    "fork": "import os; os.fork()",
    "read accounts": "open('/etc/passwd').read()",
    "list the home": "import os; os.listdir('/tmp')",
    "read its keeper": "import os; open(f'/proc/{os.getppid()}/environ', 'rb').read()",
    "write": "open('/tmp/written-by-a-reader', 'w').write('x')",
    "write to its packages": "import os, ammon; os.open(ammon.__file__, os.O_WRONLY)",
    "make a folder": "import os; os.mkdir('/tmp/made-by-a-reader')",
    "change a mode": "import os, ammon; os.chmod(ammon.__file__, 0o644)",
    "kill its keeper": "import os; os.kill(os.getppid(), 0)",
    "raise its memory": "import resource; resource.setrlimit(resource.RLIMIT_AS, (-1, -1))",
}


@linux
def test_a_reader_cannot_do_what_no_reader_needs(worker: Worker) -> None:
    outcomes = {name: text_of(worker, tried(commands)) for name, commands in DENIED.items()}
    refused = ("PermissionError", "not allowed to raise maximum limit")
    assert {name: said for name, said in outcomes.items() if not any(each in said for each in refused)} == {}


def tried(commands: str) -> str:
    """Commands that say what came of them."""
    return f"try:\n    {commands}\n    said['text'] = 'was let'\nexcept Exception as error:\n    said['text'] = repr(error)"


def test_a_reader_sees_no_key_and_is_not_in_the_users_folder(worker: Worker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_KEY", "xyzzy")
    seen = text_of(worker, "import os, sys; said['text'] = f'{dict(os.environ)} {sys.path}|{os.getcwd()}'")
    assert "xyzzy" not in seen
    assert seen.endswith("|/")
    assert repr(str(Path.cwd())) not in seen


FATAL = {
    "takes memory": ("x = b'x' * (3 << 30)", "MemoryError"),
    "recurses": ("f = lambda: f()\nf()", "RecursionError"),
    "leaves": ("import os; os._exit(3)", "exit code 3"),
    "leaves politely": ("raise SystemExit(4)", "SystemExit"),
    "is misled by memory": ("import ctypes; ctypes.string_at(0)", "signal 11"),
    "gives up": ("import os; os.abort()", "signal 6"),
    "errs": ("raise LookupError('x')", "LookupError"),
}


@pytest.mark.parametrize(("commands", "reason"), FATAL.values(), ids=FATAL)
def test_a_reader_that_breaks_down_costs_one_file(worker: Worker, commands: str, reason: str) -> None:
    with pytest.raises(SourceError, match=reason) as caught:
        worker.read(told(commands))
    assert caught.value.code == "parser-failed"
    assert text_of(worker, "said['text'] = 'next'") == "next"


def code_of(worker: Worker, commands: str) -> str:
    """Why nothing came of the file; a process that is at work already has little time for it."""
    worker.read(told(""))
    with pytest.MonkeyPatch.context() as patch, pytest.raises(SourceError) as caught:
        patch.setattr(process, "SECONDS", SECONDS)
        worker.read(told(commands))
    return caught.value.code


SLOW = {
    "spins": "while True: pass",
    "sleeps": "import time; time.sleep(60)",
    "keeps telling pages": "while True: reading.pages(1, 10)",
    "claims pages": "reading.pages(0, 10**9)\nwhile True: pass",
    "claims fewer than none": "reading.pages(0, -10**9)\nwhile True: pass",
}


@pytest.mark.parametrize("commands", SLOW.values(), ids=SLOW)
def test_a_reader_that_takes_too_long_is_ended(worker: Worker, commands: str) -> None:
    started = time.monotonic()
    assert code_of(worker, commands) == "too-slow"
    assert time.monotonic() - started < SECONDS + process.SECONDS_A_PAGE * told(commands).most_pages() + 3
    assert text_of(worker, "said['text'] = 'next'") == "next"


GIVEN = """
import gc, io
given = next(each for each in gc.get_objects() if isinstance(each, io.BufferedWriter) and each.fileno() > 2)
def give(whole):
    given.write(whole)
    given.flush()
"""
LIES = {
    "no frame": "give(b'x' * 64)",
    "no JSON": "give((4).to_bytes(4, 'big') + bytes(4) + b'????')",
    "no mapping": "give((2).to_bytes(4, 'big') + bytes(4) + b'[]')",
    "nothing that is known": "give((2).to_bytes(4, 'big') + bytes(4) + b'{}')",
    "depth": "b = b'[' * 90_000; give(len(b).to_bytes(4, 'big') + bytes(4) + b)",
    "many lists": "b = b'[' * 2_000_000; give(len(b).to_bytes(4, 'big') + bytes(4) + b)",
    "no end": "while True: give((16).to_bytes(4, 'big') + bytes(4) + b'{\"lacking\": [1]}')",
    "silence": "import os, time; [os.close(n) for n in range(1, 60) if n == given.fileno()]; time.sleep(60)",
}


@pytest.mark.parametrize("lie", LIES.values(), ids=LIES)
def test_an_answer_that_is_none_costs_one_file(worker: Worker, lie: str) -> None:
    assert code_of(worker, GIVEN + lie) in ("parser-failed", "too-large", "too-slow")
    assert text_of(worker, "said['text'] = 'next'") == "next"


def test_what_a_reader_prints_is_no_answer(worker: Worker) -> None:
    commands = "import os; print('{'); os.write(1, b'x' * 99); said['text'] = 'kept'"
    assert text_of(worker, commands) == "kept"


def test_a_process_that_ended_between_files_is_replaced(worker: Worker) -> None:
    first = text_of(worker, "import os; said['text'] = os.getpid()")
    os.kill(int(first), signal.SIGKILL)
    time.sleep(0.2)
    assert text_of(worker, "import os; said['text'] = os.getpid()") != first


def test_a_process_is_not_charged_for_what_its_keeper_holds(worker: Worker, monkeypatch: pytest.MonkeyPatch) -> None:
    worker.close()
    monkeypatch.setattr(process, "MOST_RESIDENT", 200 << 20)
    held = bytearray(b"x") * (300 << 20)
    pids = {text_of(worker, "import os; said['text'] = os.getpid()") for _ in range(3)}
    assert len(held) > 200 << 20
    assert len(pids) == 1


@pytest.mark.parametrize("limit", [("MOST_FILES", 1), ("MOST_RESIDENT", 1)])
def test_a_process_makes_room_for_a_new_one(
    worker: Worker, monkeypatch: pytest.MonkeyPatch, limit: tuple[str, int]
) -> None:
    monkeypatch.setattr(process, *limit)
    pids = {text_of(worker, "import os; said['text'] = os.getpid()") for _ in range(3)}
    assert len(pids) == 3


@linux
@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGINT])
def test_no_process_outlives_its_keeper(end: signal.Signals) -> None:
    keeper = (
        f"from ammon.sources.sandbox import process\nprocess._START = {started_with(process._START)!r}\n"
        "worker = process.Worker()\n"
        "found = worker.read(process.Asked('a.rtf', b'{\\\\rtf1}\\nimport os; said[\"text\"] = os.getpid()'))\n"
        "print(found[0].document.text, flush=True)\n"
        "worker.read(process.Asked('a.rtf', b'{\\\\rtf1}\\nwhile True: pass'))\n"
    )
    running = subprocess.Popen([sys.executable, "-c", keeper], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    assert running.stdout is not None
    with running, running.stdout:
        reader = int(running.stdout.readline())
        running.send_signal(end)
        running.wait(10)
    deadline = time.monotonic() + 5
    while Path(f"/proc/{reader}/stat").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not Path(f"/proc/{reader}/stat").exists()


def test_files_given_at_once_each_get_their_own_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "_START", started_with(process._START))
    with Sandbox(2) as sandbox:
        asked = [told(f"{'import os; os._exit(1)' if n == 4 else ''}\nsaid['text'] = {n}") for n in range(40)]
        answers = [each.result()[0] for each in [sandbox.submit(one) for one in asked]]
    texts = [found.document.text if found.document is not None else "" for found in answers]
    assert texts == ["" if n == 4 else str(n) for n in range(40)]
