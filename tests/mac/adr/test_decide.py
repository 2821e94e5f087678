import pytest

from lns.mac.adr import next_look
from lns.mac.settings import AdrSettings
from tests.mac.adr.build import decided, steady


@pytest.mark.parametrize("algorithm", ["margin", "gateways"])
def test_mobile_device_is_left_alone(algorithm: str) -> None:
    assert decided(steady(9.0), AdrSettings(algorithm=algorithm, mobile=True, max_dr=2), dr=0, nb_trans=2) == (0, 0, 2)


def test_switched_off_is_off() -> None:
    assert decided(steady(9.0), AdrSettings(algorithm="off"), dr=0, tx_power=3) == (0, 3, 1)


@pytest.mark.parametrize("dr", [7, 8])
def test_fsk_and_lr_fhss_devices_keep_their_data_rate(dr: int) -> None:
    assert decided(steady(None, dr=dr)) == (dr, 0, 1)


@pytest.mark.parametrize(
    ("settings", "looks"),
    [
        (AdrSettings(), [20, 12, 1, 10, 10]),
        (AdrSettings(algorithm="gateways"), [8, 10, 1, 10, 10]),
        (AdrSettings(algorithm="static"), [None] * 5),
        (AdrSettings(algorithm="off"), [None] * 5),
        (AdrSettings(mobile=True), [None] * 5),
    ],
)
def test_next_look_is_when_enough_is_known(settings: AdrSettings, looks: list[int | None]) -> None:
    assert [next_look(steady(0.0, uplinks=n), settings) for n in (0, 8, 19, 20, 90)] == looks


@pytest.mark.parametrize("algorithm", ["margin", "gateways"])
def test_device_commanded_to_lora_that_sent_only_fsk_so_far_is_left_as_it_is(algorithm: str) -> None:
    assert decided(steady(None, dr=7), AdrSettings(algorithm=algorithm), dr=5) == (5, 0, 1)
