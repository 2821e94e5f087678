"""The facts of each region, as collected from the specification, LoRaMac-node and three servers, in one shape."""

from typing import Any

from lns.lorawan.regions import REGIONS
from tests.lorawan import vectors

_FILES = {"AS923-1": "AS923"}
_CN470_PLANS = {
    "CN470-20A": "20MHz-A",
    "CN470-20B": "20MHz-B",
    "CN470-26A": "26MHz-A",
    "CN470-26B": "26MHz-B",
}


def _of(name: str) -> dict[str, Any]:
    if name in _CN470_PLANS:
        return _cn470_plan(_CN470_PLANS[name])
    facts = vectors.region(_FILES.get(name, name))
    return _cn470_legacy(facts) if name == "CN470" else facts


def _cn470_legacy(facts: dict[str, Any]) -> dict[str, Any]:
    """The file has DR6, DR7 and the RX1 floor of the later plans; its tables for 96 channels stop at DR5."""
    rates = {str(dr): facts["data_rates"]["uplink"][str(dr)] for dr in range(6)}
    return facts | {
        "data_rates": {"uplink": rates, "downlink": rates},
        "max_payload": {"no_repeater": {"no_dwell": facts["max_payload"]["legacy_96ch"]["no_repeater"]}},
        "rx1_dr_offset": {"offsets": [0, 5], "table": facts["rx1_dr_offset"]["table_legacy_96ch"]},
        "join": {"data_rates": facts["join"]["data_rates_legacy"]},
    }


def _cn470_plan(plan_name: str) -> dict[str, Any]:
    """A plan of RP002-1.0.1; its data rate 0 may carry nothing, so it is no data rate."""
    facts = vectors.region("CN470")
    plan = facts["plans"][plan_name]
    table = {dr: row for dr, row in facts["rx1_dr_offset"]["table"].items() if dr != "0"}
    rx2 = plan["rx2"]
    joins = [row for row in facts["join"]["common_join_channels"] if row["plan"] == plan_name]
    return facts | {
        "uplink_channels": plan["uplink_channels"],
        "downlink_channels": plan["downlink_channels"],
        "max_channels": len(plan["uplink_channels"]),
        "rx1_dr_offset": {"offsets": [0, 5], "table": table},
        "rx2": {"freq_hz": rx2.get("freq_hz") or rx2["abp_freq_hz"], "dr": rx2["dr"]},
        "join": {"data_rates": facts["join"]["data_rates"], "common_join_channels": joins},
        "plan_rx2": rx2,
        "plan_class_b": plan["class_b"],
    }


FACTS = {name: _of(name) for name in REGIONS}
