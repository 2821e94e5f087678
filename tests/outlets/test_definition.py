import msgspec
import pytest

from lns.delivery.pipe import Pipe
from lns.outlets.definition import Filter, Outlet

TAGS = {"site": "north", "floor": "2"}


@pytest.mark.parametrize(
    ("filter_", "event", "fields", "wanted"),
    [
        (Filter(), "uplink", (), True),
        (Filter(events=("join", "uplink")), "uplink", (), True),
        (Filter(events=("join",)), "uplink", (), False),
        (Filter(tags={"site": "north"}), "uplink", (), True),
        (Filter(tags={"site": "south"}), "uplink", (), False),
        (Filter(tags={"site": ""}), "uplink", (), True),  # any value
        (Filter(tags={"room": ""}), "uplink", (), False),
        (Filter(tags={"site": "north", "floor": "3"}), "uplink", (), False),  # all must be there
        (Filter(fields=("temperature",)), "measurements", ("temperature", "rssi"), True),
        (Filter(fields=("temperature",)), "measurements", ("rssi",), False),
        (Filter(fields=("temperature",)), "up", ("rssi",), False),
        (Filter(fields=("temperature",)), "uplink", (), True),  # fields judge measurements only
    ],
)
def test_a_filter_wants(filter_, event, fields, wanted):
    assert filter_.wants(event, TAGS, frozenset(fields)) is wanted


def test_a_definition_survives_json():
    outlet = Outlet("alerts", 3, "webhook", {"url": "https://x"}, filter=Filter(tags={"a": "b"}), sending=Pipe(batch=9))
    assert msgspec.json.decode(msgspec.json.encode(outlet), type=Outlet) == outlet
    assert outlet.key == "3/alerts"


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ({"name": "No Spaces"}, "Expected `str` matching regex '^[a-z0-9][a-z0-9._-]{0,62}$' - at `$.name`"),
        ({"kind": "fax"}, "Invalid enum value 'fax' - at `$.kind`"),
        ({"filter": {"colour": 1}}, "Object contains unknown field `colour` - at `$.filter`"),
        ({"sending": {"at_once": 0}}, "Expected `int` >= 1 - at `$.sending.at_once`"),
    ],
)
def test_a_bad_definition_is_refused(values, text):
    with pytest.raises(msgspec.ValidationError) as caught:
        msgspec.convert({"name": "a", "application_id": 1, "kind": "webhook", "settings": {}} | values, Outlet)
    assert str(caught.value) == text
