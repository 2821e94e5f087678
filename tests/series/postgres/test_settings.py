"""The section `[postgres]`."""

import msgspec
import pytest

from lns.config.stores import Postgres


def test_a_section_says_only_what_is_different():
    settings = msgspec.convert({"enabled": True, "schema": "metering"}, Postgres)
    assert settings == Postgres(enabled=True, schema="metering")


@pytest.mark.parametrize("section", [{"schema": "A; DROP"}, {"schema": ""}, {"chunk_days": 0}, {"pool": 0}, {"x": 1}])
def test_what_is_out_of_range_or_unknown_is_refused(section):
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(section, Postgres)
