"""The simulated air: seeded, and without loss as complete as it promises."""

from random import Random

import pytest

from lns.lorawan.modulation import Lora
from lns.lorawan.regions import region
from simulators.radio import NOISE_FLOOR_DBM, PROMPT, Chances, Radio

FLOOR_DB = {7: -7.5, 8: -10.0, 9: -12.5, 10: -15.0, 11: -17.5, 12: -20.0}


def radio(seed: int = 1, gateways: int = 3, name: str = "EU868", jitter_s: float = 0.0, **chances: float) -> Radio:
    return Radio(region(name), gateways, 50, Random(seed).random, Chances(**chances), jitter_s)


def heard(air: Radio, frames: int = 400):
    return [air.receive(number % 50) for number in range(frames)]


def test_the_same_seed_gives_the_same_air():
    settings = {"loss": 0.2, "duplicates": 0.2, "late": 0.2, "jitter_s": 0.01}
    assert heard(radio(5, **settings)) == heard(radio(5, **settings))
    assert heard(radio(5, **settings)) != heard(radio(6, **settings))


def test_without_loss_every_gateway_hears_every_frame_once_and_at_once():
    for copies in heard(radio()):
        assert [copy.gateway for copy in copies] == [0, 1, 2]
        assert all(copy.delays_s is PROMPT for copy in copies)


@pytest.mark.parametrize("name", ["EU868", "US915"])
def test_the_data_rate_suits_the_weakest_gateway(name):
    air = radio(name=name)
    rates = {number: air.best_data_rate(number) for number in range(50)}
    assert len(set(rates.values())) > 1, "devices near and far should differ"
    for number in [n % 50 for n in range(500)]:
        modulation = region(name).uplink_modulation(rates[number])
        assert isinstance(modulation, Lora)
        assert all(copy.snr_db >= FLOOR_DB[modulation.sf] for copy in air.receive(number))


def test_levels_are_those_of_real_receivers():
    copies = [copy for copies in heard(radio()) for copy in copies]
    assert all(-135 <= copy.rssi_dbm <= -40 for copy in copies)
    assert all(copy.snr_db <= 14 for copy in copies)
    assert all(abs(copy.rssi_dbm - NOISE_FLOOR_DBM - copy.snr_db) <= 1 for copy in copies if copy.snr_db < 14)


def test_the_nearest_gateway_is_the_loudest_on_average():
    air = radio()
    loudest = [max(air.receive(0), key=lambda copy: copy.rssi_dbm).gateway for _ in range(300)]
    assert max(loudest.count(gateway) for gateway in range(3)) > 150


def test_loss_is_a_share_of_copies():
    copies = sum(len(copies) for copies in heard(radio(loss=0.25), 4000))
    assert 0.72 < copies / 12_000 < 0.78


def test_a_frame_can_be_lost_altogether():
    assert [] in heard(radio(loss=0.9))


def test_the_first_copy_is_neither_late_nor_delayed():
    for copies in heard(radio(late=1.0, jitter_s=0.01)):
        assert copies[0].delays_s == (0.0,)
        assert all(0.3 <= copy.delays_s[0] < 0.81 for copy in copies[1:])


def test_duplicates_follow_their_first_within_a_tenth_of_a_second():
    for copies in heard(radio(duplicates=1.0)):
        for copy in copies:
            first, second = copy.delays_s
            assert first <= second <= first + 0.1


def test_one_gateway_stands_in_the_middle():
    assert [len(copies) for copies in heard(radio(gateways=1), 3)] == [1, 1, 1]
