"""docs/templates.md tells the truth: its commands and options exist, its folder is one that can be imported."""

import re
import shlex
import tomllib
from pathlib import Path

import pytest
from typer.main import get_command

from decoders.contract import MAX_SOURCE_BYTES
from lns.cli import app
from lns.library.files import MAX_FILE_BYTES
from lns.library.layouts import LAYOUTS, read_library
from lns.registry.network_settings import changed
from lns.registry.templates import check_template
from tests.library.trees import EXAMPLES, SCRIPT, write

PAGE = (Path(__file__).parents[2] / "docs" / "templates.md").read_text("utf-8")
COMMANDS = [line for line in PAGE.splitlines() if line.startswith("lns ")]


def test_there_are_commands():
    assert len(COMMANDS) > 8


@pytest.mark.parametrize("line", COMMANDS)
def test_a_command_has_the_options_it_is_shown_with(line):
    words = shlex.split(line)[1:]
    found = get_command(app)
    while hasattr(found, "commands"):
        found = found.commands[words.pop(0)]
    options = {name for parameter in found.params for name in parameter.opts}
    assert {word for word in words if word.startswith("--")} <= options


def test_options_in_the_text_exist():
    found = get_command(app).commands["template"].commands["import"]
    options = {name for parameter in found.params for name in parameter.opts}
    _, _, text = PAGE.partition("## Import")
    assert set(re.findall(r"`(--[a-z-]+)", text.partition("## A library")[0])) <= options


def test_every_layout_is_in_the_table():
    assert set(re.findall(r"^\| `(\w+)` \|", PAGE, re.MULTILINE)) == set(LAYOUTS)


def test_the_limits_are_those_of_the_code():
    assert f"up to {MAX_FILE_BYTES >> 20} MiB" in PAGE
    assert f"{MAX_SOURCE_BYTES >> 10} KiB" in PAGE


def test_the_example_of_a_template_can_be_imported(tmp_path):
    shown = re.search(r"^```toml\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)[1]
    assert tomllib.loads(shown)["fields"]["level"]["unit"] == "%"
    files = {"template.toml": shown, "codec.js": SCRIPT, "examples.json": EXAMPLES}
    root = write(tmp_path / "our-devices", {f"acme/tank/{name}": text for name, text in files.items()})
    (found,) = read_library(root, None, "our-devices")
    assert (found.item.id, found.item.problem) == ("our-devices:acme/tank", None)
    assert check_template(found.item.template)["uplink_interval_s"] == 600
    assert found.item.template["max_measurements_per_hour"] == 60
    assert changed({}, found.item.template["network"])["device_class"] == "A"
