"""The command line of a fleet."""

import argparse

import pytest

from simulators.options import FleetOptions, add_api_arguments, add_arguments, fleet_options


def parse(*arguments: str) -> FleetOptions:
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    add_api_arguments(parser)
    return fleet_options(parser.parse_args(arguments))


def test_defaults_are_those_of_the_options():
    assert parse() == FleetOptions()


def test_options_reach_their_fields():
    options = parse(
        "--server", "[::1]:1701", "--gateways", "1", "--rate", "0", "--activation", "abp", "--region", "US915",
        "--jitter", "0.5", "--no-provision", "--confirmed-share", "0.1", "--prepare", "--seed", "9",
    )  # fmt: skip
    assert (options.host, options.port, options.gateways, options.rate) == ("::1", 1701, 1, 0.0)
    assert (options.activation, options.region, options.jitter_s, options.provision) == ("abp", "US915", 0.5, False)
    assert (options.confirmed_share, options.prepare, options.seed) == (0.1, True, 9)


def test_kinds_of_devices():
    options = parse(
        "--lorawan", "1.1", "--class", "B", "--ping-periodicity", "2", "--region", "AS923-2",
        "--misbehave", "lose-answers=3", "--misbehave", "drift=20", "--misbehaving", "0.5",
    )  # fmt: skip
    assert (options.lorawan, options.device_class, options.ping_periodicity) == ("1.1", "B", 2)
    assert (options.region, options.misbehave, options.misbehaving) == ("AS923-2", ("lose-answers=3", "drift=20"), 0.5)


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["--gateways", "65"], "--gateways is 65, 1 to 64 is possible"),
        (["--loss", "1.5"], "--loss is 1.5, 0 to 1 is possible"),
        (["--jitter", "-1"], "--jitter is -1.0, 0 to inf is possible"),
        (["--window", "0"], "--window is 0, 1 to 32768 is possible"),
        (["--server", "localhost"], "--server is 'localhost', HOST:PORT is needed"),
        (["--ping-periodicity", "8"], "--ping-periodicity is 8, 0 to 7 is possible"),
        (["--misbehave", "refuse=Nothing"], "misbehaviour 'refuse=Nothing': Nothing is no request of a network"),
        (["--prepare", "--uplinks", "0"], "--prepare needs --uplinks: frames cannot be prepared for ever"),
    ],
)
def test_a_bad_value_is_named_with_its_limit(arguments, problem):
    with pytest.raises(ValueError) as caught:
        parse(*arguments)
    assert str(caught.value) == problem
