"""`lab serve` keeps its processes running: one that dies is started again, the others go on."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from lab.db.engine import Database

Run = Callable[..., Result]
SUPERVISE = """
import os, sys
from pathlib import Path
from lab.cli.serving import supervise
here = Path(sys.argv[1])
one = [sys.executable, "-c", sys.argv[2]]
other = [sys.executable, "-c", "import os, time; open('other', 'a').write(f'{os.getpid()} '); time.sleep(60)"]
sys.exit(supervise([one, other], dict(os.environ), here, young=float(sys.argv[3])))
"""
LIVES = "import os, time; open('one', 'a').write(f'{os.getpid()} '); time.sleep(60)"


def _running(folder: Path, script: str, young: float) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-c", SUPERVISE, str(folder), script, str(young)]
    return subprocess.Popen(command, cwd=Path(__file__).parents[2], stderr=subprocess.DEVNULL)


def _pids(path: Path, count: int) -> list[int]:
    # A busy machine takes its time to start Python three times.
    for _ in range(1200):
        found = path.read_text().split() if path.exists() else []
        if len(found) >= count:
            return [int(one) for one in found]
        time.sleep(0.05)
    raise AssertionError(f"{path.name}: fewer than {count} starts")


def test_what_is_killed_is_started_again_and_the_others_go_on(tmp_path: Path) -> None:
    serving = _running(tmp_path, LIVES, young=0)
    try:
        first = _pids(tmp_path / "one", 1)[0]
        other = _pids(tmp_path / "other", 1)
        os.kill(first, signal.SIGKILL)
        assert _pids(tmp_path / "one", 2)[1] != first
        assert _pids(tmp_path / "other", 1) == other
    finally:
        serving.terminate()
    assert serving.wait(60) == 0
    for pid in (*_pids(tmp_path / "one", 2)[1:], *other):
        assert not Path(f"/proc/{pid}").exists()


def test_what_cannot_start_ends_everything_with_its_code(tmp_path: Path) -> None:
    serving = _running(tmp_path, "raise SystemExit(3)", young=30)
    assert serving.wait(60) == 3


@pytest.mark.parametrize("there", [True, False], ids=["taken", "not ours"])
def test_an_address_that_cannot_be_had_is_told_at_once(lab: Run, database: Database, there: bool) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        result = lab("serve", "--port", port, *([] if there else ["--host", "192.0.2.1"]))
    told = f"Error: Port {port} is taken" if there else f"Error: Nothing can listen on 192.0.2.1:{port}"
    assert result.exit_code == 1
    assert result.output.startswith(told)
    assert result.output.count("\n") == 1
