"""Runs the command line in this process, as a shell would."""

import json
import sys

import msgspec
import pytest

from lns.cli import main


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

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["lns", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
        out, err = capsys.readouterr()
        return Ran(int(ended.value.code or 0), out, err)

    return run
