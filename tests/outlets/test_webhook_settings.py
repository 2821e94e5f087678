import msgspec
import pytest

from lns.delivery.outcome import Outgoing
from lns.outlets.webhook_settings import WebhookSettings, groups

MESSAGE = Outgoing("uplink_1", 7, "0102030405060708", "uplink", b"{}")
JOIN = Outgoing("join_1", 8, "a/b c", "join", b"{}")


@pytest.mark.parametrize(
    ("paths", "address"),
    [
        ({}, "https://example.com/in"),
        ({"uplink": "/devices/{device}/up"}, "https://example.com/in/devices/0102030405060708/up"),
        ({"*": "{event}/{seq}/{id}"}, "https://example.com/in/uplink/7/uplink_1"),
        ({"join": "j", "*": "other"}, "https://example.com/in/other"),
        ({"join": "j"}, "https://example.com/in"),
    ],
)
def test_the_path_is_of_the_event(paths, address):
    assert WebhookSettings("https://example.com/in", paths).address(MESSAGE) == address


def test_what_is_put_into_a_path_stays_one_part_of_it():
    assert WebhookSettings("https://example.com", {"*": "{device}"}).address(JOIN) == "https://example.com/a%2Fb%20c"


def test_headers_are_filled_in():
    settings = WebhookSettings("https://example.com", headers={"Authorization": "Bearer x", "X-Device": "{device}"})
    assert settings.header_values(MESSAGE) == [("Authorization", "Bearer x"), ("X-Device", "0102030405060708")]


def test_messages_of_one_address_share_a_request():
    settings = WebhookSettings("https://example.com", {"*": "{event}"})
    assert groups(settings, [MESSAGE, JOIN, MESSAGE]) == [
        ("https://example.com/uplink", [0, 2]),
        ("https://example.com/join", [1]),
    ]


@pytest.mark.parametrize(
    ("settings", "text"),
    [
        ({"url": "ftp://x"}, "url is 'ftp://x', it must begin with https:// or http:// and a host"),
        ({"url": "https://u:p@x"}, "url holds a user or a fragment: send credentials in a header"),
        ({"url": "https://x?a=1", "paths": {"*": "b"}}, "url has a query, paths cannot be added to it"),
        ({"url": "https://x", "paths": {"*": "{what}"}}, "{what} is not known, device, event, id, seq are"),
        ({"url": "https://x", "headers": {"a b": ""}}, "header 'a b' is not a name of a header"),
        ({"url": "https://x", "headers": {"Host": "y"}}, "header Host is set by the outlet itself"),
        ({"url": "https://x", "headers": {"Webhook-Id": "y"}}, "header Webhook-Id is set by the outlet itself"),
        (
            {"url": "https://x", "headers": {"a": "b\r\nc: d"}},
            "the value of header a holds other than printable ascii characters",
        ),
        ({"url": "https://x", "secrets": ["abc"]}, "secret does not begin with whsec_"),
    ],
)
def test_bad_settings_are_refused(settings, text):
    with pytest.raises(msgspec.ValidationError) as caught:
        msgspec.convert(settings, WebhookSettings)
    assert str(caught.value) == text
