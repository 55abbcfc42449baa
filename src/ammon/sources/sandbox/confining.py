"""What a process of the sandbox may do on Linux: read its packages and its input, and answer; no network, no programs.

Landlock shuts the files (landlock(7)), a seccomp filter the system calls (seccomp(2)); both hold for good, and for
every thread. Numbers of calls are those of the kernel's unistd.h.
"""

from __future__ import annotations

import ctypes
import os
import platform
import struct
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path
from typing import Final

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_NO_NEW_PRIVILEGES, _DIE_WITH_PARENT = 38, 1
_ABI_SINCE: Final = {1: 0x1FFF, 2: 0x2000, 3: 0x4000, 5: 0x8000}
"""What may be done to files, as bits, by the version of Landlock that knows of it."""

_READ_FILE, _READ_FOLDER = 1 << 2, 1 << 3
_SYSTEM: Final = (
    "/lib",
    "/lib64",
    "/usr/lib",
    "/usr/lib64",
    "/usr/local/lib",
    "/etc/ld.so.cache",
    "/usr/share/zoneinfo",
)
_DEVICES: Final = ("/dev/null", "/dev/zero", "/dev/urandom")
_MACHINE: Final = ("/sys/devices/system/cpu", "/sys/devices/system/node", "/proc/cpuinfo", "/proc/meminfo")

_AUDIT: Final = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
_DENIED: Final[dict[str, tuple[int, ...]]] = {
    # By the kernel's own names: network; programs and processes; other processes; the system; files' modes, owners.
    "x86_64": (
        *(41, 42, 43, 44, 46, 49, 50, 53, 288, 307),
        *(57, 58, 59, 322, 272, 308, 101, 310, 311, 424, 434, 438, 312),
        *(129, 200, 297),
        *(155, 161, 165, 166, 175, 313, 176, 246, 320, 169, 167, 168, 170, 171, 164, 227, 159, 305, 163, 103, 135),
        *(248, 249, 250, 298, 321, 323, 304, 425, 426, 427, 428, 429, 430, 431, 432, 433, 442, 279, 256),
        *(90, 91, 268, 452, 92, 93, 94, 260, 188, 189, 190, 197, 198, 199, 132, 235, 261, 280, 133, 259, 240),
    ),
    "aarch64": (
        *(198, 199, 200, 201, 202, 203, 206, 211, 242, 269),
        *(221, 281, 97, 268, 117, 270, 271, 424, 434, 438, 272),
        *(130, 138, 240),
        *(41, 51, 40, 39, 142, 105, 273, 106, 104, 294, 89, 224, 225, 161, 162, 170, 112, 171, 266, 116, 92),
        *(217, 218, 219, 241, 280, 282, 265, 425, 426, 427, 428, 429, 430, 431, 432, 433, 442, 239, 238),
        *(52, 53, 452, 54, 55, 5, 6, 7, 14, 15, 16, 88, 33, 180),
    ),
}
_SPECIAL: Final = {"x86_64": (56, 435, 302, 160, (62, 234)), "aarch64": (220, 435, 261, 164, (129, 131))}
"""clone, clone3, prlimit64, setrlimit; and what sends a signal to the process named first."""

_THREAD: Final = 0x10000
_CPU_LIMIT: Final = 0
_X32: Final = 0x40000000
_ALLOW, _KILL, _EPERM, _ENOSYS = 0x7FFF0000, 0x80000000, 0x50001, 0x50026
_LOAD, _EQUAL, _ANY_BIT, _AT_LEAST, _RETURN = 0x20, 0x15, 0x45, 0x35, 0x06
_NUMBER, _ARCHITECTURE, _ARGUMENTS = 0, 4, 16


def confine(*, recognise: bool) -> list[str]:
    """Shut files, network and programs off from this process. Returns a sentence for each thing that is still open."""
    if sys.platform != "linux":
        return ["Files, network and programs are not shut off from readers on this system."]
    system = ctypes.CDLL(None, use_errno=True)
    system.prctl(_DIE_WITH_PARENT, 9, 0, 0, 0)
    if system.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0) != 0:
        return ["This system refuses to shut files, network and programs off from readers."]
    degraded = []
    if not _shut_files(system, recognise=recognise):
        degraded.append("Files are not shut off from readers: this system's kernel has no Landlock.")
    if not _shut_calls(system):
        degraded.append("Network and programs are not shut off from readers: this system has no seccomp filter.")
    return degraded


def _shut_files(system: ctypes.CDLL, *, recognise: bool) -> bool:
    version = system.syscall(_CREATE_RULESET, None, 0, 1)
    if version < 1:
        return False
    files = sum(bits for since, bits in _ABI_SINCE.items() if since <= version)
    # Then the network (binding, connecting), then signals and abstract sockets, as far as this kernel knows them.
    fields = [files, *([3] if version >= 4 else []), *([3] if version >= 6 else [])]
    rules = struct.pack(f"={len(fields)}Q", *fields)
    ruleset = system.syscall(_CREATE_RULESET, rules, ctypes.c_size_t(len(rules)), 0)
    if ruleset < 0:
        return False
    for path in _readable(recognise=recognise):
        _allow(system, ruleset, path)
    shut = bool(system.syscall(_RESTRICT_SELF, ruleset, 0) == 0)
    os.close(ruleset)
    return shut


def _readable(*, recognise: bool) -> Iterator[Path]:
    """Folders of the interpreter and of packages, and the few files of the system that loading them takes."""
    package = Path(__file__).parents[2]
    known = {sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")}
    sites = (each for each in sys.path if Path(each).name in ("site-packages", "dist-packages", "lib-dynload"))
    libraries = Path(sys.base_prefix) / "lib"
    machine = _MACHINE if recognise else ()
    every = (*known, *sites, package, libraries, *_SYSTEM, *_DEVICES, *machine)
    return (path for path in map(Path, every) if path.exists())


def _allow(system: ctypes.CDLL, ruleset: int, path: Path) -> None:
    opened = os.open(path, os.O_PATH | os.O_CLOEXEC)
    allowed = _READ_FILE | (_READ_FOLDER if path.is_dir() else 0)
    system.syscall(_ADD_RULE, ruleset, 1, struct.pack("=Qi", allowed, opened), 0)
    os.close(opened)


def _shut_calls(system: ctypes.CDLL) -> bool:
    machine = platform.machine()
    if machine not in _AUDIT:
        return False
    program = b"".join(_filter(machine))
    code = ctypes.create_string_buffer(program, len(program))
    told = struct.pack("HP", len(program) // 8, ctypes.addressof(code))
    number = {"x86_64": 317, "aarch64": 277}[machine]
    # Mode "filter", for all threads at once.
    return bool(system.syscall(number, 1, 1, told) == 0)


def _step(code: int, value: int, if_so: int = 0, if_not: int = 0) -> bytes:
    return struct.pack("HBBI", code, if_so, if_not, value)


def _filter(machine: str) -> Iterator[bytes]:
    """A program of classic BPF: what each system call comes to."""
    clone, clone3, prlimit, setrlimit, signals = _SPECIAL[machine]
    yield _step(_LOAD, _ARCHITECTURE)
    yield from (_step(_EQUAL, _AUDIT[machine], 1), _step(_RETURN, _KILL))
    yield _step(_LOAD, _NUMBER)
    if machine == "x86_64":
        yield from (_step(_AT_LEAST, _X32, 0, 1), _step(_RETURN, _KILL))
    for number in _DENIED[machine]:
        yield from (_step(_EQUAL, number, 0, 1), _step(_RETURN, _EPERM))
    # The C library then falls back to clone, whose flags can be looked at.
    yield from (_step(_EQUAL, clone3, 0, 1), _step(_RETURN, _ENOSYS))
    yield from _where(clone, 0, _step(_ANY_BIT, _THREAD, 1))
    yield from _where(setrlimit, 0, _step(_EQUAL, _CPU_LIMIT, 1))
    # Limits may be asked for; set may be only that of processor time, which is raised file by file.
    yield _step(_EQUAL, prlimit, 0, 6)
    yield from (_step(_LOAD, _ARGUMENTS + 8), _step(_EQUAL, _CPU_LIMIT, 3))
    yield from (_step(_LOAD, _ARGUMENTS + 16), _step(_EQUAL, 0, 1))
    yield from (_step(_RETURN, _EPERM), _step(_RETURN, _ALLOW))
    for number in signals:
        yield from _where(number, 0, _step(_EQUAL, os.getpid(), 1))
    yield _step(_RETURN, _ALLOW)


def _where(number: int, argument: int, holds: bytes) -> Iterator[bytes]:
    """Allow a call only where something holds of one of its arguments."""
    yield _step(_EQUAL, number, 0, 4)
    yield _step(_LOAD, _ARGUMENTS + 8 * argument)
    yield holds
    yield _step(_RETURN, _EPERM)
    yield _step(_RETURN, _ALLOW)
