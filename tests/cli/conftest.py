"""Runs the command line in this process, as a shell would."""

import json
import logging
import sys

import msgspec
import pytest

from lns.cli import main
from tests.cli.server import GATEWAY, Gateway, Server


class Ran(msgspec.Struct):
    """What a command printed and its exit code."""

    code: int
    out: str
    err: str

    @property
    def json(self):
        return json.loads(self.out)


@pytest.fixture
def lns(monkeypatch, capsys, tmp_path):
    """`lns("device", "list")` in an empty folder, without the caller's environment."""
    for name in ("LNS_URL", "LNS_API_KEY", "LNS_DATA", "LNS_CONFIG"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("COLUMNS", "160")
    monkeypatch.chdir(tmp_path)
    root = logging.getLogger()
    monkeypatch.setattr(root, "handlers", list(root.handlers))  # `lns serve` puts its own there
    monkeypatch.setattr(root, "level", root.level)

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["lns", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
        out, err = capsys.readouterr()
        return Ran(int(ended.value.code or 0), out, err)

    return run


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    started = Server(tmp_path_factory.mktemp("server"))
    yield started
    assert started.stop() == 0


@pytest.fixture
def on(lns, server, monkeypatch):
    """`lns` with the server's address and key."""
    monkeypatch.setenv("LNS_URL", server.url)
    monkeypatch.setenv("LNS_DATA", str(server.folder / "data"))
    return lns


@pytest.fixture
def gateway(server, on):
    made = Gateway(server)
    assert on("gateway", "accept", GATEWAY).code == 0
    yield made
    made.close()
