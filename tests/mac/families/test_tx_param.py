from lns.mac.settings import RegionSettings
from tests.mac.talk import Talk


def test_tx_param_setup_is_not_asked_where_nobody_answers_it() -> None:
    network = RegionSettings(uplink_dwell_400ms=False, downlink_dwell_400ms=False)
    assert [Talk(region_name=name, network=network).exchange() for name in ("EU868", "US915", "AU915")] == [
        [],
        [],
        ["090d"],
    ]


def test_tx_param_setup_came_with_1_0_2() -> None:
    network = RegionSettings(uplink_dwell_400ms=False)
    asked = [Talk(version, "AS923-2", network=network).exchange() for version in ("1.0.1", "1.0.2")]
    assert asked == [[], ["0925"]]
