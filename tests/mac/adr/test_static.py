from lns.mac.adr import decide
from lns.mac.settings import AdrSettings
from tests.mac.adr.build import EU868, decided, radio, steady

ALL = AdrSettings(algorithm="static", static_dr=3, static_tx_power=2, static_nb_trans=4)


def test_template_says_what_is_used_from_the_first_uplink() -> None:
    assert decided(steady(9.0, uplinks=1), ALL) == (3, 2, 4)


def test_what_the_template_leaves_open_stays_as_it_is() -> None:
    assert decided(steady(9.0), AdrSettings(algorithm="static", static_dr=2), dr=5, tx_power=3, nb_trans=2) == (2, 3, 2)


def test_mobile_device_keeps_to_the_template_too() -> None:
    assert decided(steady(9.0), AdrSettings(algorithm="static", static_dr=2, mobile=True), dr=5) == (2, 0, 1)


def test_data_rate_or_power_that_the_device_refused_is_not_told_again() -> None:
    refusing = radio(5, 1)
    refusing.refused = {"link_adr:dr:3": 2, "link_adr:power:2": 2}
    target = decide(refusing, steady(9.0), ALL, EU868)
    assert (target.dr, target.tx_power, target.nb_trans) == (5, 1, 4)


def test_data_rate_that_no_channel_allows_is_not_told() -> None:
    assert decided(steady(9.0), AdrSettings(algorithm="static", static_dr=7, max_dr=7), dr=5) == (5, 0, 1)
