"""Which engines the contract is run against."""

import pytest

from tests.series.build import GIVEN, STORES, Clock


@pytest.mark.parametrize("name", GIVEN)
def test_the_contract_runs_on_a_server_that_is_given(name, tmp_path):
    _, make = GIVEN[name]
    make(tmp_path, Clock())  # skips, with its reason, where none is given
    assert name in STORES


def test_the_contract_runs_on_engines_that_are_installed():
    assert {"sqlite-file", "sqlite-memory", "postgres", "influxdb1", "mongodb"} <= STORES.keys()
