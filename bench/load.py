"""Asks a server as fast as it answers, for a fixed time: with wrk where there is one, else by ourselves."""

from __future__ import annotations

import re
import selectors
import shutil
import socket
import statistics
import subprocess
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import repeat

CONNECTIONS = 8
_UNITS = {"us": 0.001, "ms": 1.0, "s": 1000.0}


@dataclass(frozen=True)
class Load:
    """Answers a second, their median time in milliseconds, and how many were errors."""

    rate: float
    median_ms: float
    errors: int = 0


def loader() -> str:
    """Which loader GETs are measured with."""
    return "wrk" if shutil.which("wrk") else "own"


def get(port: int, path: str, seconds: float, headers: dict[str, str] | None = None) -> Load:
    """The same page again and again, by eight kept connections."""
    headers = {"Accept-Encoding": "gzip, br", **(headers or {})}
    if loader() == "wrk":
        return _wrk(port, path, seconds, headers)
    return drive(port, repeat(request("GET", path, headers)), seconds)


def request(method: str, path: str, headers: dict[str, str], body: bytes = b"") -> bytes:
    """One HTTP/1.1 request."""
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", *(f"{k}: {v}" for k, v in headers.items())]
    if method == "POST":
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def _wrk(port: int, path: str, seconds: float, headers: dict[str, str]) -> Load:
    command = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{max(1, round(seconds))}s", "--latency"]
    for name, value in headers.items():
        command += ["-H", f"{name}: {value}"]
    done = subprocess.run(
        [*command, f"http://127.0.0.1:{port}{path}"], capture_output=True, text=True, check=True, timeout=60
    )
    rate = re.search(r"Requests/sec:\s+([\d.]+)", done.stdout)
    median = re.search(r"50%\s+([\d.]+)(us|ms|s)", done.stdout)
    wrong = sum(int(n) for n in re.findall(r"Non-2xx or 3xx responses: (\d+)", done.stdout))
    wrong += sum(int(n) for n in re.findall(r"(?:connect|read|write|timeout) (\d+)", done.stdout))
    if rate is None or median is None:
        raise RuntimeError(done.stdout + done.stderr)
    return Load(float(rate[1]), float(median[1]) * _UNITS[median[2]], wrong)


@dataclass
class _Line:
    """One kept connection and the answer it is waiting for."""

    socket: socket.socket
    asked: float = 0.0
    held: bytearray = field(default_factory=bytearray)


def drive(port: int, requests: Iterable[bytes], seconds: float, connections: int = CONNECTIONS) -> Load:
    """Send the requests over kept connections until the time is over or they end."""
    source = iter(requests)
    selector = selectors.DefaultSelector()
    times: list[float] = []
    errors = 0
    begun = time.perf_counter()
    for _ in range(connections):
        _ask(selector, port, source)
    while selector.get_map() and time.perf_counter() - begun < seconds + 10:
        for key, _events in selector.select(1):
            line: _Line = key.data
            line.held += line.socket.recv(65536)
            status = _answered(line.held)
            if status is None:
                continue
            now = time.perf_counter()
            times.append((now - line.asked) * 1000)
            errors += not 200 <= status < 400
            selector.unregister(line.socket)
            if now - begun < seconds:
                _ask(selector, port, source, line)
            else:
                line.socket.close()
    spent = time.perf_counter() - begun
    selector.close()
    return Load(len(times) / spent, statistics.median(times) if times else 0.0, errors)


def _ask(
    selector: selectors.BaseSelector, port: int, source: Iterator[bytes], line: _Line | None = None
) -> None:
    wanted = next(source, None)
    if wanted is None:
        if line is not None:
            line.socket.close()
        return
    if line is None:
        line = _Line(socket.create_connection(("127.0.0.1", port), timeout=10))
        line.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    line.held.clear()
    line.asked = time.perf_counter()
    line.socket.sendall(wanted)
    selector.register(line.socket, selectors.EVENT_READ, line)


def _answered(held: bytearray) -> int | None:
    """The status once the answer is whole; None while more is to come. A closed connection is a 599."""
    if not held:
        return 599
    end = held.find(b"\r\n\r\n")
    if end < 0:
        return None
    status = int(held[9:12])
    length = re.search(rb"\r\nContent-Length: (\d+)", bytes(held[: end + 2]), re.IGNORECASE)
    whole = end + 4 + (int(length[1]) if length else 0)
    return status if len(held) >= whole else None
