"""What a webhook is set to, and the request it makes of a message: address, headers. Pure."""

import re
from collections.abc import Sequence
from typing import Annotated, Literal
from urllib.parse import quote, urlsplit

import msgspec
from msgspec import Meta

from lns.delivery.outcome import Outgoing
from lns.outlets import signature

_PLACE = re.compile(r"\{([^{}]*)\}")
_KNOWN = ("device", "event", "id", "seq")
_HEADER = re.compile(r"^[A-Za-z0-9!#$%&'*+.^_`|~-]+$")
_OURS = ("host", "content-length", "content-type", "transfer-encoding", "connection")


class WebhookSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The settings of an outlet of the kind webhook.

    `paths` are added to the url, by event, `*` for all others, and `query` to all; these and the values of `headers`
    may hold {device}, {event}, {id} and {seq}. Of two `secrets` both sign, so that they can be changed without a gap.
    `body` is one message, or always an array of them. `application_id` is what readers of the formats chirpstack and
    tts know the application by; empty: made from its own.
    """

    url: str
    paths: dict[str, str] = {}
    query: str = ""
    headers: dict[str, str] = {}
    body: Literal["single", "array"] = "single"
    secrets: Annotated[tuple[str, ...], Meta(max_length=2)] = ()
    timeout_s: Annotated[float, Meta(gt=0, le=60)] = 10.0
    allow_private: bool = False
    ca_location: str = ""
    application_id: str = ""

    def __post_init__(self) -> None:
        parts = urlsplit(self.url)
        if parts.username is not None or parts.fragment:  # first: no other text may repeat a password
            raise ValueError("url holds a user or a fragment: send credentials in a header")
        if parts.scheme not in ("http", "https") or not parts.hostname:
            shown = self.url.partition("?")[0]
            raise ValueError(f"url is {shown!r}, it must begin with https:// or http:// and a host")
        if self.paths and parts.query:
            raise ValueError("url has a query, paths cannot be added to it")
        for template in (*self.paths.values(), self.query, *self.headers.values()):
            _check_places(template)
        for name, value in self.headers.items():
            _check_header(name, value)
        for secret in self.secrets:
            signature.key_of(secret)

    def keys(self) -> list[bytes]:
        """The signing keys, the newest first."""
        return [signature.key_of(secret) for secret in self.secrets]

    def address(self, message: Outgoing) -> str:
        """Where a message goes."""
        path = self.paths.get(message.event, self.paths.get("*", ""))
        address = self.url
        if path:
            address = f"{self.url.rstrip('/')}/{_filled(path, message, escape=True).lstrip('/')}"
        if not self.query:
            return address
        return f"{address}{'&' if '?' in address else '?'}{_filled(self.query, message, escape=True)}"

    def header_values(self, message: Outgoing) -> list[tuple[str, str]]:
        """The headers that were set, filled in."""
        return [(name, _filled(value, message, escape=False)) for name, value in self.headers.items()]


def groups(settings: WebhookSettings, messages: Sequence[Outgoing]) -> list[tuple[str, list[int]]]:
    """Messages that can share a request, as address and indexes; headers must agree too."""
    found: dict[tuple[str, tuple[tuple[str, str], ...]], list[int]] = {}
    for index, message in enumerate(messages):
        key = (settings.address(message), tuple(settings.header_values(message)))
        found.setdefault(key, []).append(index)
    return [(address, indexes) for (address, _), indexes in found.items()]


def _filled(template: str, message: Outgoing, *, escape: bool) -> str:
    values = {"device": message.lane, "event": message.event, "id": message.id, "seq": str(message.seq)}
    return _PLACE.sub(lambda m: quote(values[m[1]], safe="") if escape else values[m[1]], template)


def _check_places(template: str) -> None:
    for name in _PLACE.findall(template):
        if name not in _KNOWN:
            raise ValueError(f"{{{name}}} is not known, {', '.join(_KNOWN)} are")


def _check_header(name: str, value: str) -> None:
    if not _HEADER.match(name):
        raise ValueError(f"header {name!r} is not a name of a header")
    if name.lower() in _OURS or name.lower().startswith("webhook-"):
        raise ValueError(f"header {name} is set by the outlet itself")
    if not value.isascii() or not value.isprintable():
        raise ValueError(f"the value of header {name} holds other than printable ascii characters")
