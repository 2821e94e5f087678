import pytest

from lns.lorawan.regions import region
from lns.mac.adr.link import link_of
from lns.mac.history import GatewayNumbers, History
from lns.mac.radio import Radio
from lns.mac.settings import AdrSettings
from tests.mac.adr.build import steady
from tests.mac.talk import START_S, reception


def rates(name: str, settings: AdrSettings | None = None, **changes: object) -> tuple[int, ...]:
    radio = Radio(region(name))
    for attribute, value in changes.items():
        setattr(radio, attribute, value)
    return link_of(radio, steady(0.0), settings or AdrSettings(), region(name)).rates


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("EU868", (0, 1, 2, 3, 4, 5)),
        ("US915", (0, 1, 2, 3)),
        ("AU915", (2, 3, 4, 5)),  # dwell time limits rule out the others until TXParamSetupReq
        ("AS923-1", (2, 3, 4, 5)),
        ("ISM2400", (0, 1, 2, 3, 4, 5, 6, 7)),
    ],
)
def test_data_rates_that_a_region_lets_be_told(name: str, expected: tuple[int, ...]) -> None:
    assert rates(name) == expected


def test_data_rates_end_where_template_dwell_time_channels_and_refusals_say() -> None:
    assert rates("AU915", uplink_dwell=False) == (0, 1, 2, 3, 4, 5)
    assert rates("EU868", AdrSettings(min_dr=2, max_dr=4)) == (2, 3, 4)
    assert rates("EU868", AdrSettings(max_dr=7)) == (0, 1, 2, 3, 4, 5)  # no channel for the faster ones
    assert rates("EU868", refused={"link_adr:dr:3": 2, "link_adr:dr:4": 1}) == (0, 1, 2, 4, 5)
    assert rates("US915", AdrSettings(max_dr=4), mask=0xFF) == (0, 1, 2, 3)  # DR4 is that of the 500 kHz channels
    assert rates("US915", AdrSettings(max_dr=4), mask=0xFF | 1 << 64) == (0, 1, 2, 3, 4)
    assert rates("US915", AdrSettings(max_dr=4), mask=1 << 64) == (4,)


def test_powers_end_below_the_first_refused_one() -> None:
    radio = Radio(region("EU868"))
    radio.refused = {"link_adr:power:4": 2, "link_adr:power:2": 1}
    assert link_of(radio, steady(0.0), AdrSettings(), region("EU868")).powers_db == (0.0, -2.0, -4.0, -6.0)
    assert link_of(radio, steady(0.0), AdrSettings(max_tx_power=1), region("EU868")).powers_db == (0.0, -2.0)


def test_floors_count_the_width_of_the_channel() -> None:
    found = link_of(Radio(region("EU868")), steady(0.0), AdrSettings(), region("EU868"))
    assert {dr: round(floor, 2) for dr, floor in found.floors_db.items()} == {
        0: -20.0,
        1: -17.5,
        2: -15.0,
        3: -12.5,
        4: -10.0,
        5: -7.5,
        6: -4.49,  # SF7 with 250 kHz: 3 dB more noise
    }


def test_levels_compare_widths_and_leave_out_what_is_no_lora() -> None:
    history, numbers = History(), GatewayNumbers()
    for dr, snr_db in ((5, 1.0), (7, 9.0), (6, 1.0)):  # DR7 is FSK, DR6 has 250 kHz
        history.add(history.fcnt + 1, dr, True, [reception(snr_db, 1, START_S)], numbers)
    ((numbered, snrs),) = link_of(Radio(region("EU868")), history, AdrSettings(), region("EU868")).levels()
    assert (numbered, [round(snr) for snr in snrs]) == ((0, 0), [4, 4 + 12])


def test_without_lora_there_are_no_levels() -> None:
    assert link_of(Radio(region("EU868")), steady(None, dr=7), AdrSettings(), region("EU868")).levels() == []
