"""What a script is seen to ask for."""

import pytest

from lns.decoding.needs import PORTABLE, Needs, needs


@pytest.mark.parametrize(
    ("source", "convention", "expected"),
    [
        ("function decodeUplink(input) { return {data: {v: input.bytes[0]}}; }", "ts013", PORTABLE),
        ("function decodeUplink(input) { return {data: {n: input.gateways.length}}; }", None, Needs(context=True)),
        ("function decodeUplink({bytes, tags}) { return {data: tags}; }", None, Needs(context=True)),
        ("var a = 'previous in a text';", None, PORTABLE),
        ("// previous\nvar a = 1;", None, PORTABLE),
        ("function decodeUplink(i) { return {data: i.previous}; }", "ts013", Needs(context=True, previous=True)),
        ("var stateVersion = 1; function decodeUplink(i) { i.state.n = 1; }", "ts013", Needs(state=True)),
        ("var state = 0;", "ts013", PORTABLE),
        ("function Decoder(bytes, port) { return rawPayload; }", "datacake", Needs(context=True)),
        ("function Decoder(bytes, port, info) { return {}; }", "helium", Needs(context=True)),
    ],
)
def test_a_script_gets_what_its_text_mentions(source, convention, expected):
    assert needs(source, convention) == expected


@pytest.mark.parametrize(("asked", "memory"), [({}, False), ({"context": True}, False), ({"state": True}, True)])
def test_only_state_and_previous_values_bind_an_uplink_to_the_one_before(asked, memory):
    assert Needs(**asked).memory is memory
