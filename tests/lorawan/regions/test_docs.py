"""The table of docs/regions.md is what the tables of the code say."""

from pathlib import Path

from lns.lorawan.regions import REGIONS
from lns.lorawan.regions.region import Region

DOCS = Path(__file__).parents[3] / "docs" / "regions.md"


def row(region: Region) -> str:
    channels = str(len(region.uplink_channels))
    if region.plan == "dynamic":
        channels += f" default, up to {region.max_channels}"
    drs = [rate.dr for rate in region.uplink_rates]
    rx2 = f"{region.rx2_freq_hz / 1e6:g} MHz, DR{region.rx2_dr}"
    cells = [f"`{region.name}`", region.plan, channels, f"DR{min(drs)} to DR{max(drs)}", rx2]
    cells += [f"{region.max_eirp_dbm:g} dBm", duty_cycle(region), dwell(region)]
    return "| " + " | ".join(cells) + " |"


def duty_cycle(region: Region) -> str:
    shares = [band.duty_cycle * 100 for band in region.bands]
    if min(shares) >= 100:
        return "none"
    return f"{min(shares):g} %" if min(shares) == max(shares) else f"{min(shares):g} to {max(shares):g} %"


def dwell(region: Region) -> str:
    limited = {"uplink": region.uplink_dwell_400ms, "downlink": region.downlink_dwell_400ms}
    return " and ".join(name for name, on in limited.items() if on) or "none"


def test_the_documented_table_is_that_of_the_code() -> None:
    table = [line for line in DOCS.read_text("utf-8").splitlines() if line.startswith("| `")]
    assert table == [row(region) for region in REGIONS.values()]
