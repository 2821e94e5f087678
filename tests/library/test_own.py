"""Folders as ours."""

from pathlib import Path

import pytest

from lns.library import own
from lns.library.files import Folder
from lns.library.item import Found, Item
from tests.library.trees import OWN, write

FILE = "acme/tank/template.toml"


def read(root: Path) -> Found:
    (found,) = own.items(Folder(root))
    return found


def test_a_family_has_profile_fields_rules_and_codec(tmp_path: Path) -> None:
    found = read(write(tmp_path, OWN))
    assert found.codec is not None
    assert found.item == Item(
        id="acme/tank",
        origin="inflight",
        vendor="ACME Instruments",
        name="Tank sensor",
        description="Level of a tank",
        models=["TS1", "TS2"],
        template={
            "lorawan_version": "1.0.4",
            "supports_join": True,
            "uplink_interval_s": 600,
            "network": {"device_class": "C"},
            "rules": {"level": {"deadband_abs": 1, "heartbeat_s": 3600}},
            "fields": {"level": {"label": "Level", "unit": "%", "min": 0, "max": 100}},
        },
        codec_sha256=found.codec.sha256,
        source="https://acme.example/tank.pdf; a drawing",
    )


def test_limits_of_fields_and_device_are_taken_over(tmp_path: Path) -> None:
    head = "[template]\nmax_measurements_per_hour = 60\n"
    rule = "[fields.level]\nrule = { on_change = false, min_interval_s = 30, max_per_hour = 9 }\n"
    template = read(write(tmp_path, OWN, {FILE: head + rule})).item.template
    assert template["max_measurements_per_hour"] == 60
    assert template["rules"] == {"level": {"on_change": False, "min_interval_s": 30, "max_per_hour": 9}}


@pytest.mark.parametrize(
    ("head", "script", "codec", "built_in"),
    [
        ("", "x", True, None),
        ("", None, False, None),
        ('codec = "cayenne-lpp"', None, False, "cayenne-lpp"),
    ],
)
def test_the_codec_may_be_built_in_or_missing(
    tmp_path: Path, head: str, script: str | None, codec: bool, built_in: str | None
) -> None:
    found = read(write(tmp_path, OWN, {FILE: f"[template]\n{head}", "acme/tank/codec.js": script}))
    assert found.item.problem is None
    assert (found.codec is not None, found.item.built_in) == (codec, built_in)
    assert (found.item.vendor, found.item.name) == ("acme", "tank")


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        ({FILE: ""}, f"{FILE}: object missing required field `template`"),
        ({FILE: "[template]\nmodels = 'all'"}, f"{FILE}: expected `array`, got `str` - at `$.template.models`"),
        ({FILE: "[template]\n[fields]\nlevel = 1"}, f"{FILE}: expected `object`, got `int` - at `$.fields[...]`"),
        ({FILE: "a = " + "[" * 5000}, f"{FILE} is not TOML: "),
        ({"acme/tank/codec.js": None}, "cannot read acme/tank/codec.js: no such file or directory"),
        ({FILE: "[template]\ncodec = '../../../../etc/hostname'"}, "acme/tank/../../../../etc/hostname lies outside"),
    ],
)
def test_a_family_that_cannot_be_read_says_why(tmp_path: Path, changed: dict[str, str | None], problem: str) -> None:
    assert str(read(write(tmp_path, OWN, changed)).item.problem).startswith(problem)
