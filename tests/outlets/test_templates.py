"""Templates of topics and routing keys."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lns.outlets.templates import Template

KNOWN = ("application", "dev_eui", "event")
TEXT = "lora/{application}/{dev_eui}/{event}"


def test_a_template_is_filled_and_read_back():
    template = Template("a/{application}/{dev_eui}/x", KNOWN)
    names = {"application": "greenhouse", "dev_eui": "0101010101010101"}
    topic = template.filled(names | {"event": "up"})
    assert topic == "a/greenhouse/0101010101010101/x"
    assert template.names(topic) == names
    assert template.names(topic + "/more") is None


@pytest.mark.parametrize(
    ("separator", "value", "expected"),
    [("/", "a/b+c#d\0e", "a_b_c_d_e"), ("/", "", "_"), (".", "a.b*c#d", "a_b_c_d"), (".", "a/b", "a/b")],
)
def test_a_value_makes_no_level_and_no_wildcard(separator: str, value: str, expected: str):
    assert Template("{application}", KNOWN, separator).filled({"application": value}) == expected


def test_an_event_may_have_levels():
    names = {"application": "a", "dev_eui": "b", "event": "up/normalized"}
    assert Template(TEXT, KNOWN).filled(names) == "lora/a/b/up/normalized"
    assert Template("{event}", KNOWN, ".").filled(names) == "up.normalized"


def test_a_subscription_takes_any_value_of_what_is_not_given():
    assert Template(TEXT, KNOWN).subscription(application="a") == "lora/a/+/+"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("x/{tenant}", "'x/{tenant}' has the field 'tenant', known are application, dev_eui, event"),
        ("x/{{event}}", "'x/{{event}}' has a brace that belongs to no field"),
        ("x/{event", "'x/{event' has a brace that belongs to no field"),
    ],
)
def test_a_wrong_template_is_refused(text: str, said: str):
    with pytest.raises(ValueError) as refused:
        Template(text, KNOWN)
    assert str(refused.value) == said


@given(st.text())
def test_any_value_stays_on_its_level(value: str):
    template = Template("a/{application}/b", KNOWN)
    topic = template.filled({"application": value})
    assert topic.count("/") == 2
    assert not set("+#\0") & set(topic)
    assert template.names(topic) is not None
