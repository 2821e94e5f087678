"""The secrets in an outlet's settings: masked where they are shown, kept when the mask comes back, sent nowhere else.

Whoever may change an outlet may not read its secrets, nor have them sent to a host of his own. Pure.
"""

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import msgspec

from lns.config import ConfigError
from lns.outlets.broker_settings import Amqp, Mqtt
from lns.outlets.definition import OutletKind
from lns.outlets.kafka_settings import KafkaSettings
from lns.outlets.webhook_settings import WebhookSettings

MASK = "***"
"""Stands for a secret where settings are shown; sent back, it keeps the secret."""

SECRETS: dict[OutletKind, frozenset[str]] = {
    "webhook": frozenset({"secrets", "headers"}),
    "mqtt": frozenset({"password"}),
    "amqp": frozenset({"password"}),
    "kafka": frozenset({"sasl_password", "ssl_key_password"}),
}
"""The settings that are secret, or hold secrets; beside them the values in a webhook's `url` and `query`."""
_QUERIES: dict[OutletKind, tuple[str, ...]] = {"webhook": ("url", "query"), "mqtt": (), "amqp": (), "kafka": ()}
_TARGETS: dict[OutletKind, tuple[type[msgspec.Struct], tuple[str, ...]]] = {
    "webhook": (WebhookSettings, ("url",)),
    "mqtt": (Mqtt, ("host", "port", "tls")),
    "amqp": (Amqp, ("host", "port", "tls")),
    "kafka": (KafkaSettings, ("bootstrap_servers", "security_protocol")),
}
"""The settings that say who is given the secrets."""
_PORTS = {"http": 80, "https": 443}
_FILLED = re.compile(r"(\{[a-z]+\})*")  # which is of the message, and no secret


def masked(kind: OutletKind, settings: dict[str, Any]) -> dict[str, Any]:
    """Settings as they may be shown."""
    shown = {name: _mask(value) if name in SECRETS[kind] else value for name, value in settings.items()}
    return shown | {name: _mask_text(name, shown[name]) for name in _QUERIES[kind] if isinstance(shown.get(name), str)}


def masked_webhook(settings: WebhookSettings) -> WebhookSettings:
    """What makes addresses that may be written into a log."""
    url, query = _mask_text("url", settings.url), _mask_text("query", settings.query)
    return msgspec.structs.replace(settings, url=url, query=query)


def changed(kind: OutletKind, former: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """Settings with what is changed of them: None takes away, and what is still masked stays.

    ConfigError where a mask stands for nothing, or where secrets would go to another destination than they were given
    for.
    """
    kept = {name: value for name, value in former.items() if name not in changes}
    given = {name: value for name, value in changes.items() if value is not None}
    whole = {**kept, **{name: _unmasked(kind, name, value, former.get(name)) for name, value in given.items()}}
    moved = [name for name, now in _target(kind, whole).items() if now != _target(kind, former)[name]]
    stale = list(_masks(kind, {**masked(kind, kept), **given}))
    if moved and stale:
        raise ConfigError(f"{moved[0]} changes where secrets go: give {', '.join(stale)} anew, or take them away")
    return whole


def _target(kind: OutletKind, settings: dict[str, Any]) -> dict[str, Any]:
    struct, names = _TARGETS[kind]
    defaults = {field.name: field.default for field in msgspec.structs.fields(struct)}
    found = {name: settings.get(name, defaults[name]) for name in names}
    return {"url": _host(found["url"])} if kind == "webhook" else found


def _host(url: Any) -> Any:
    """Scheme, host and port; what is no URL is refused elsewhere."""
    try:
        parts = urlsplit(url)
        return parts.scheme, parts.hostname, parts.port or _PORTS.get(parts.scheme)
    except (ValueError, AttributeError, TypeError):
        return url


def _masks(kind: OutletKind, shown: dict[str, Any]) -> Iterator[str]:
    """Where masks are in settings."""
    for name, value in shown.items():
        if name in SECRETS[kind]:
            yield from _masks_in(name, value)
        elif name in _QUERIES[kind] and isinstance(value, str):
            for key, one in _parts(_query(name, value)):
                if one == MASK:
                    yield _path(name, key)


def _masks_in(path: str, value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for name, one in value.items():
            yield from _masks_in(f"{path}.{name}", one)
    elif isinstance(value, list | tuple):
        for n, one in enumerate(value):
            yield from _masks_in(f"{path}[{n}]", one)
    elif value == MASK:
        yield path


def _mask(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _mask(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_mask(one) for one in value]
    return MASK if value else value


def _unmasked(kind: OutletKind, name: str, value: Any, former: Any) -> Any:
    if name in SECRETS[kind]:
        return _unmask(name, value, former)
    if name in _QUERIES[kind] and isinstance(value, str):
        return _unmask_text(name, value, former if isinstance(former, str) else "")
    return value


def _unmask(path: str, value: Any, former: Any) -> Any:
    if isinstance(value, dict):
        known = former if isinstance(former, dict) else {}
        return {name: _unmask(f"{path}.{name}", one, known.get(name)) for name, one in value.items()}
    if isinstance(value, list | tuple):
        items = former if isinstance(former, list | tuple) else ()
        return [_unmask(f"{path}[{n}]", one, items[n] if n < len(items) else None) for n, one in enumerate(value)]
    if value != MASK:
        return value
    if former is None:
        raise _nothing(path)
    return former


def _nothing(path: str) -> ConfigError:
    return ConfigError(f"{path} is {MASK!r}, which stands for a secret that was set before; none was")


def _path(name: str, key: str) -> str:
    return f"{name}.{key.removesuffix('=')}" if key else name


def _query(name: str, text: str) -> str:
    """What of a setting is a query: `url` has an address before it."""
    return text.partition("?")[2] if name == "url" else text


def _with_query(name: str, text: str, parts: list[tuple[str, str]]) -> str:
    query = "&".join(key + value for key, value in parts)
    if name != "url":
        return query
    return f"{text.partition('?')[0]}?{query}" if "?" in text else text


def _parts(query: str) -> list[tuple[str, str]]:
    """Names with what follows them, and values; what has no name is a value."""
    pairs = (part.partition("=") if "=" in part else ("", "", part) for part in query.split("&"))
    return [(name + equals, value) for name, equals, value in pairs]


def _mask_text(name: str, text: str) -> str:
    parts = _parts(_query(name, text))
    return _with_query(name, text, [(key, value if _FILLED.fullmatch(value) else MASK) for key, value in parts])


def _unmask_text(name: str, text: str, former: str) -> str:
    """By name, and of the same name by their order."""
    known: dict[str, list[str]] = {}
    for key, value in _parts(_query(name, former)):
        known.setdefault(key, []).append(value)
    parts = []
    for key, value in _parts(_query(name, text)):
        before = known[key].pop(0) if known.get(key) else None
        if value == MASK and before is None:
            raise _nothing(_path(name, key))
        parts.append((key, before if value == MASK and before is not None else value))
    return _with_query(name, text, parts)
