"""What a store holds of a page of uplinks, and whose it is."""

import msgspec
import pytest

from lns.decoding.held import Holdings
from lns.exchange.records import Measurement
from lns.series.consumer import rows_of
from lns.series.sqlite import SqliteSeries
from tests.exchange.build import running
from tests.outlets.samples import decoded

DEVICE, T0 = 7, 1_700_000_000_000_000
LATER, OWN = T0 + 60_000_000, T0 - 3_600_000_000


def record(uplink_seq: int, at_us: int, *measurements: Measurement) -> object:
    made = decoded(DEVICE, uplink_seq=uplink_seq, received_at_us=at_us)
    return msgspec.structs.replace(made, measurements=measurements)


@pytest.fixture
async def holdings(tmp_path):
    """Two uplinks of a logger: the second has written the first's time of its own again."""
    series = SqliteSeries(tmp_path / "series.db", lambda: LATER)
    await series.open()
    async with running(tmp_path / "log.db") as exchange:
        first = record(1, T0, Measurement("v", T0, 1.0), Measurement("log.v", OWN, 1.0), Measurement("log.v", T0, 3.0))
        second = record(2, LATER, Measurement("log.v", OWN, 2.0, "V"), Measurement("link.rssi", LATER, -80.0))
        await exchange.append([("decoded", first), ("decoded", second)])
        found, _ = await exchange.read(0, frozenset({"decoded"}), 10)
        await series.write(rows_of(found), None)
        yield Holdings(series, exchange)
    await series.close()


async def test_what_is_read_is_there_by_time_and_field(holdings):
    assert holdings.of(DEVICE) == {}
    await holdings.read([(DEVICE, T0), (DEVICE, OWN), (8, T0)])
    assert holdings.of(DEVICE) == {T0: {"v": (1.0, None), "log.v": (3.0, None)}, OWN: {"log.v": (2.0, "V")}}
    assert holdings.of(8) == {}


async def test_a_moment_is_read_once(holdings):
    await holdings.read([(DEVICE, T0)])
    holdings.of(DEVICE)[T0].pop("v")  # as a correction does that removes it
    await holdings.read([(DEVICE, T0)])
    assert holdings.at(DEVICE, T0) == [("log.v", T0)]


async def test_link_measurements_are_not_the_codecs(holdings):
    await holdings.read([(DEVICE, LATER)])
    assert list(holdings.of(DEVICE)[LATER]) == ["link.rssi"]
    assert holdings.at(DEVICE, LATER) == []


@pytest.mark.parametrize(
    ("uplink_seq", "expected"),
    [
        (1, [("v", T0), ("log.v", T0)]),  # what the second has written since is not the first's any more
        (2, [("log.v", OWN)]),
        (3, []),
    ],
)
async def test_what_an_uplink_has_written_is_found_by_a_part_of_it(holdings, uplink_seq, expected):
    moments = [T0, OWN]
    await holdings.read((DEVICE, at_us) for at_us in moments)
    assert sorted(await holdings.written_by(uplink_seq, DEVICE, moments)) == sorted(expected)
