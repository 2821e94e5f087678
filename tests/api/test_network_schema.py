"""What people may set of the MAC layer is documented, at /docs and in the guide."""

import re
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from lns.api.field_comments import field_comments
from lns.api.network_schema import EXAMPLE, NetworkObject
from lns.mac import settings
from lns.mac.settings import AdrSettings, MacSettings
from lns.registry.network_settings import changed
from lns.registry.session_file import SessionFile

GUIDE = (Path(__file__).parents[2] / "docs" / "devices.md").read_text("utf-8")


class _Model(BaseModel):
    network: NetworkObject


def schema() -> dict[str, Any]:
    found: dict[str, Any] = _Model.model_json_schema()["properties"]["network"]
    return found


def names(heading: str) -> set[str]:
    """What the first column under a heading of the guide names."""
    section = GUIDE.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    first = re.findall(r"^\| (`.+?) \|", section, re.MULTILINE)
    return {name for cell in first for name in re.findall(r"`([^`]+)`", cell)}


def test_every_setting_is_in_the_schema_with_its_limits_and_meaning() -> None:
    found = schema()["properties"]
    adr = found["adr"]["properties"]
    assert (list(found), list(adr)) == (list(MacSettings.__struct_fields__), list(AdrSettings.__struct_fields__))
    assert all(len(field["description"]) > 5 for field in [*found.values(), *adr.values()])
    assert adr["margin_db"] == {
        "type": "number",
        "minimum": 0,
        "maximum": 40,
        "default": 10.0,
        "description": "Kept in hand above the demodulation floor.",
    }
    assert found["rx2_dr"]["anyOf"][0] == {"type": "integer", "minimum": 0, "maximum": 15}
    assert changed({}, EXAMPLE) == EXAMPLE


def test_every_setting_is_in_the_guide() -> None:
    expected = {name for name in MacSettings.__struct_fields__ if name != "adr"}
    assert names("Settings of the MAC layer") == expected | {f"adr.{name}" for name in AdrSettings.__struct_fields__}


def test_every_field_of_a_session_is_in_the_guide() -> None:
    assert names("Moving a session") == set(SessionFile.__struct_fields__)


@pytest.mark.parametrize("version", ["1.0.0", "1.0.1", "1.0.2", "1.0.3", "1.0.4", "1.1"])
def test_every_version_is_in_the_guide(version: str) -> None:
    assert f"`{version}`" in GUIDE


def test_comments_are_read_field_by_field() -> None:
    comments = field_comments(settings)
    assert comments["AdrSettings", "margin_db"] == "kept in hand above the demodulation floor"
    assert comments["AdrSettings", "max_dr"] == ""
