import pytest

from lns.lorawan.regions import region
from lns.mac.families import FAMILIES
from lns.mac.families.family import VERSIONS, at_least, coded_hz, rank, real_hz
from tests.mac.talk import Talk


def test_every_family_is_a_row_of_its_own() -> None:
    assert len({family.name for family in FAMILIES}) == len({family.request for family in FAMILIES}) == len(FAMILIES)


@pytest.mark.parametrize("version", VERSIONS)
def test_versions_rise(version: str) -> None:
    session = Talk(version).session
    assert [at_least(session, other) for other in VERSIONS] == [n <= rank(session) for n in range(len(VERSIONS))]


def test_device_of_1_1_in_a_session_of_1_0_counts_as_1_0_2() -> None:
    session = Talk("1.1").session
    session.keys_1_1 = None
    assert VERSIONS[rank(session)] == "1.0.2"


@pytest.mark.parametrize(
    ("region_name", "freq_hz", "coded"),
    [("EU868", 868_100_000, 868_100_000), ("ISM2400", 2_403_000_000, 1_201_500_000)],
)
def test_frequencies_pass_through_the_command_table(region_name: str, freq_hz: int, coded: int) -> None:
    found = region(region_name)
    assert (coded_hz(found, freq_hz), real_hz(found, coded)) == (coded, freq_hz)
