"""Identities follow from seed and number, and differ where they must."""

from simulators import identity


def test_a_fleet_has_no_identity_twice():
    people = [identity.device(1, number) for number in range(500)]
    for field in ("dev_eui", "dev_addr", "app_key", "nwk_s_key", "app_s_key"):
        assert len({getattr(person, field) for person in people}) == 500


def test_the_same_seed_gives_the_same_device():
    assert identity.device(7, 3) == identity.device(7, 3)


def test_seeds_do_not_share_devices_or_gateways():
    first, second = identity.device(1, 0), identity.device(2, 0)
    assert {first.dev_eui, first.dev_addr, first.app_key}.isdisjoint({second.dev_eui, second.dev_addr, second.app_key})
    assert identity.gateway_eui(1, 0) != identity.gateway_eui(2, 0)


def test_devices_share_an_address_when_told_to():
    addresses = [identity.device(1, number, devices_per_address=3).dev_addr for number in range(6)]
    assert addresses == [addresses[0]] * 3 + [addresses[3]] * 3
    assert addresses[0] != addresses[3]


def test_addresses_belong_to_the_network():
    assert identity.device(1, 0, net_id="000013").dev_addr.startswith("26")
