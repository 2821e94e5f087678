"""The walk-through of docs/decoders.md, typed in as it stands against a server with its demonstration."""

import os
import re
import subprocess
import sys

import pytest

from tests.cli.server import ROOT, Server, until

PAGE = (ROOT / "docs" / "decoders.md").read_text("utf-8")
PART = PAGE.partition("\n## Five minutes")[2].partition("\n## ")[0]
STEPS = re.findall(r"^```sh\n(.*?)^```$(?:\n^```text\n(.*?)^```$)?", PART, re.DOTALL | re.MULTILINE)


def plain(text):
    """Lines without numbers, which differ from run to run, and without the rules of tables."""
    lines = (re.sub(r"[-\d.:a-f]*\d[-\d.:a-f]*|[-█▁▄]+", "#", line) for line in text.splitlines() if "───" not in line)
    return [" ".join(line.split()) for line in lines if line.strip()]


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    folder = tmp_path_factory.mktemp("demo")
    (folder / "bin").mkdir()
    (folder / "bin" / "lns").write_text(f'#!/bin/sh\nexec {sys.executable} -m lns "$@"\n')
    (folder / "bin" / "lns").chmod(0o755)
    server = Server(folder, "--demo")
    yield server
    assert server.stop() == 0


@pytest.fixture(scope="module")
def typed(demo):
    """Types into a shell in the server's folder; gives what it prints."""
    path = f"{demo.folder / 'bin'}:{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path, "PYTHONPATH": str(ROOT), "LNS_URL": demo.url, "COLUMNS": "160"}

    def run(text):
        ran = subprocess.run(
            ["bash", "-c", text], cwd=demo.folder, env=environment, text=True, capture_output=True, timeout=60
        )
        return ran.returncode, ran.stdout + ran.stderr

    return run


def test_every_step_does_what_the_page_shows(typed):
    assert STEPS[0] == ("lns serve --demo\n", "")
    assert len(STEPS) == 9
    for commands, shown in STEPS[1:]:
        code, out = typed(commands)
        assert code == (1 if " failed\n" in shown and "0 failed" not in shown else 0), out
        printed = iter(plain(out))
        missing = [line for line in plain(shown) if line not in printed]
        assert missing == [], out
        if "lns device set" in commands:
            until(lambda: typed("lns series simulated-00000 air.temperature")[0] == 0, 60)


def test_script_is_run_with_what_it_is_to_know(typed):
    (command,) = re.findall(r"^```sh\n(lns codec run.*?--context.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
    code, out = typed(command)
    assert (code, "air.relativeHumidity 45.0 %" in " ".join(out.split())) == (0, True)
