"""The device that tests of commands share, an ABP device called tank with a codec, and what it has measured."""

import pytest

from tests.cli.server import ABP, DEV_EUI

CODEC = "function decodeUplink(input) { return {data: {level: input.bytes[0], open: input.bytes[0] > 99}}; }"


@pytest.fixture
def device(on, tmp_path):
    """An ABP device with a codec; its session starts anew in each test."""
    (tmp_path / "level.js").write_text(CODEC)
    on("codec", "add", "level.js")
    assert on("device", "add", DEV_EUI, "--name", "tank", "--codec", "level", *ABP).code == 0
    yield DEV_EUI
    assert on("device", "remove", DEV_EUI).code == 0


@pytest.fixture
def key_reader(on):
    """The secret of a key that may read keys, and see devices."""
    made = on("key", "create", "mover", "--permission", "keys:read", "--permission", "read", "--json").json
    yield made["secret"]
    assert on("key", "revoke", made["id"]).code == 0


def values(on, field):
    """What `lns series tank FIELD` has."""
    ran = on("series", "tank", field, "--json")
    return [item["value"] for item in ran.json["fields"][0]["items"]] if ran.code == 0 else []
