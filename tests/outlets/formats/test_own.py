"""Our own JSON with the names that topics are made of."""

from lns.exchange.records import Stored
from lns.outlets.formats.inflight_json import Json
from lns.outlets.formats.outgoing import Described
from lns.outlets.formats.own import Own, names
from tests.outlets.formats.golden import describe, happened, made
from tests.outlets.samples import check_schema, event, failed, uplink


def test_every_message_fits_its_schema_and_has_an_event_that_filters_know():
    form = Own(describe, Json())
    stored = [Stored(1, "uplink", uplink(7)), made(), happened("join", {"dev_addr": "01020304"})]
    stored.append(Stored(2, "decoded", failed(7)))
    found = [(one, message) for one in stored for message in form.messages(one)]
    for one, message in found:
        check_schema(message.body)
        assert message.event in form.events(one)
    assert [message.event for _, message in found] == ["uplink", "measurements", "join", "decode_failure"]


def test_a_gateways_event_is_kept_in_order_by_the_gateway():
    stored = Stored(1, "event", event(7, kind="gateway", device_id=None, dev_eui=None))
    (message,) = Own(describe, Json()).messages(stored)
    assert message.lane == "aa555a0000000001"


def test_topics_are_made_of_names():
    found = names(Described("sensor-7", "greenhouse"), "07")
    assert found == {"application": "greenhouse", "device": "sensor-7", "dev_eui": "07"}


def test_a_renamed_device_is_told_by_its_new_name_once_names_are_forgotten():
    names = {7: describe(7)}
    form = Own(names.get, Json())
    form.messages(made())
    names[7] = None
    form.forget()
    (message,) = form.messages(made())
    assert check_schema(message.body)["device"] == {"dev_eui": "0000000000000007"}
