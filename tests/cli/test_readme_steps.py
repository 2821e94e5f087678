"""The five steps of the README, typed in as they stand against a server, in a folder with what the repository has."""

import os
import re
import subprocess
import sys

from tests.cli.server import GATEWAY, ROOT, Gateway

PART = (ROOT / "README.md").read_text("utf-8").partition("\n## Your own gateway")[2].partition("\n## ")[0]
BLOCKS = re.findall(r"^```sh\n(.*?)^```$", PART, re.DOTALL | re.MULTILINE)


def test_each_step_of_the_readme_works_as_it_stands(server, on, tmp_path):
    (tmp_path / "lns").write_text(f'#!/bin/sh\nexec {sys.executable} -m lns "$@"\n')
    (tmp_path / "lns").chmod(0o755)
    (tmp_path / "codecs").symlink_to(ROOT / "codecs")
    environment = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT)}
    assert f"lns gateway accept {GATEWAY}" in BLOCKS[0]
    Gateway(server).close()
    out = ""
    for block in BLOCKS:
        command = ["bash", "-e", "-c", block]
        ran = subprocess.run(command, cwd=tmp_path, env=environment, text=True, capture_output=True, timeout=60)
        if block.startswith("lns series"):  # nothing was sent yet: the table is empty, and a field is not there
            assert (ran.returncode, ran.stdout) == (5, "none yet\n"), ran
            assert ran.stderr == "lns: cellar has no field 'air.temperature'; it has none yet\n"
        else:
            assert (ran.returncode, "lns: " in ran.stderr) == (0, False), ran
        out += ran.stdout
    assert "volume" in out
    assert "1 would be added, 0 refused" in out
    names = {row["name"] for row in on("device", "list", "--json").json}
    assert names == {"cellar", "attic"}
