"""compose.yaml, the Containerfile and what they mount. No engine runs here: files are checked, nothing is started."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path
from typing import Any

import pytest
import yaml

from lns.server import CATCH_UP_S
from tests.deploy.boards import DEPLOY

ROOT = DEPLOY.parent
COMPOSE: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text("utf-8"))
CONTAINERFILE = (DEPLOY / "Containerfile").read_text("utf-8")
each_service = pytest.mark.parametrize("name", sorted(COMPOSE["services"]))

_VARIABLE = re.compile(r"(?<!\$)\$\{(\w+)(:[?-])?")


def tool(name: str) -> str:
    """A checker beside the interpreter or on the path; the test is skipped where it is missing."""
    found = shutil.which(name, path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}")
    if found is None:
        pytest.skip(f"no {name}: pip install --no-deps --require-hashes -r tests/deploy/tools.txt")
    return found


def documented() -> dict[str, str]:
    """Names and defaults of .env.example."""
    lines = (DEPLOY / ".env.example").read_text("utf-8").splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


def compose(folder: Path, environ: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """`docker compose config`, which reads the files and asks no engine."""
    (folder / ".env").write_text("".join(f"{name}={value}\n" for name, value in environ.items()))
    command = [tool("docker-compose"), "--env-file", str(folder / ".env"), "-f", str(DEPLOY / "compose.yaml"), "config"]
    return subprocess.run(command, capture_output=True, text=True, env={"PATH": "/usr/bin:/bin", "HOME": str(folder)})


def test_compose_reads_the_file_and_finds_every_setting(tmp_path):
    done = compose(tmp_path, {name: value or "x" for name, value in documented().items()})
    assert (done.returncode, done.stderr) == (0, "")
    read = yaml.safe_load(done.stdout)
    assert sorted(read["services"]) == sorted(COMPOSE["services"])
    udp = [port for port in read["services"]["inflight"]["ports"] if port["protocol"] == "udp"]
    assert [(port["published"], port["target"]) for port in udp] == [("1700", 1700)]


def test_compose_refuses_to_start_with_a_password_left_empty(tmp_path):
    done = compose(tmp_path, documented())
    assert done.returncode != 0
    missing = set(re.findall(r"required variable (\w+) is missing", done.stderr))
    assert missing == {name for name, value in documented().items() if not value}


def test_every_variable_is_documented_and_each_documented_one_is_used():
    used = set(_VARIABLE.findall((DEPLOY / "compose.yaml").read_text("utf-8")))
    assert {name for name, _ in used} == set(documented())
    assert {name for name, how in used if how == ":?"} == {name for name, value in documented().items() if not value}


@each_service
def test_images_are_pinned_to_a_version(name):
    image = COMPOSE["services"][name]["image"]
    assert re.fullmatch(r"[\w./-]+:v?\d+\.\d+\.\d+[\w.-]*", image)


@each_service
def test_every_mounted_file_exists_and_cannot_be_written(name):
    mounts = [mount.split(":") for mount in COMPOSE["services"][name]["volumes"]]
    for source, target, *mode in mounts:
        assert target.startswith("/")
        if source.startswith("."):
            assert (DEPLOY / source).exists(), source
            assert mode == ["ro"]
        else:
            assert source in COMPOSE["volumes"]


def test_only_the_gateways_port_is_open_to_other_machines():
    for name, service in COMPOSE["services"].items():
        for port in service.get("ports", ()):
            assert port == "1700:1700/udp" or port.startswith("${BIND_ADDRESS:-127.0.0.1}:"), (name, port)
    assert documented()["BIND_ADDRESS"] == "127.0.0.1"


def test_every_service_is_watched_and_comes_back():
    for name, service in COMPOSE["services"].items():
        watched = "test" in service.get("healthcheck", {}) or service["image"].startswith("inflight:")
        assert (watched, service["restart"]) == (True, "unless-stopped"), name
    assert COMPOSE["services"]["names"]["healthcheck"] == {"disable": True}  # it has no port to ask


def test_the_server_has_the_time_to_write_what_it_received():
    grace = COMPOSE["services"]["inflight"]["stop_grace_period"]
    assert int(grace.removesuffix("s")) >= 2 * CATCH_UP_S


def test_secrets_are_in_the_environment_only():
    passwords = {name for name in documented() if name.endswith("_PASSWORD")}
    for service in COMPOSE["services"].values():
        for name, value in service.get("environment", {}).items():
            if "PASSWORD" in name:
                assert value in {f"${{{password}:?}}" for password in passwords}


def test_the_script_of_the_first_start_is_executable():
    assert os.access(DEPLOY / "postgres/initdb/10-inflight.sh", os.X_OK)


def test_the_containerfile_passes_hadolint():
    done = subprocess.run([tool("hadolint"), str(DEPLOY / "Containerfile")], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "")


def test_the_image_has_every_driver_and_no_root():
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["optional-dependencies"]
    (installed,) = re.findall(r'pip install .*"\.\[([\w,]+)\]"', CONTAINERFILE)
    (everything,) = (re.findall(r"\[([\w,]+)\]", text) for text in extras.pop("all"))
    assert {"all", *everything[0].split(",")} | set(installed.split(",")) == {"all", *extras}
    assert "\nUSER 10001:10001\n" in CONTAINERFILE
    assert re.findall(r"^FROM (\S+)", CONTAINERFILE, re.M) == ["docker.io/library/python:3.13.16-slim-trixie"] * 2


def test_the_image_asks_a_route_that_exists():
    from lns.api.routes.health import router

    (path,) = re.findall(r"http://127\.0\.0\.1:8080(/\w+)", CONTAINERFILE)
    assert path in {getattr(route, "path", "") for route in router.routes}


def test_the_build_context_has_what_the_wheel_is_made_of(tmp_path):
    """The wheel of the files that .dockerignore lets in holds everything that the project's own does."""
    lines = (DEPLOY / "Containerfile.dockerignore").read_text("utf-8").splitlines()
    allowed = [line[1:] for line in lines if line.startswith("!")]
    for name in allowed:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / name, tmp_path / name)
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path / "dist")]
    subprocess.run(build, cwd=tmp_path, check=True, capture_output=True)
    (wheel,) = (tmp_path / "dist").glob("*.whl")
    held = set(zipfile.ZipFile(wheel).namelist())
    sources = {str(file.relative_to(ROOT)) for file in (ROOT / "lns").rglob("*.py") if "__pycache__" not in str(file)}
    assert sources - held == set()
    assert any(name.startswith("lns/_codecs/") for name in held)
    assert any(name.endswith(".sql") for name in held)
