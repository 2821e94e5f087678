"""The `network` object of device templates and devices in the documentation: MacSettings with its comments."""

from typing import Annotated, Any

import msgspec
from pydantic import WithJsonSchema

from lns.api.field_comments import field_comments
from lns.mac import settings
from lns.mac.settings import AdrSettings, MacSettings

EXAMPLE = {"device_class": "C", "adr": {"max_dr": 4}}


def _schema() -> dict[str, Any]:
    _, parts = msgspec.json.schema_components([MacSettings])
    whole = _described(parts["MacSettings"], MacSettings)
    adr = _described(parts["AdrSettings"], AdrSettings)
    return {**whole, "properties": {**whole["properties"], "adr": adr}}


def _described(schema: dict[str, Any], kind: type) -> dict[str, Any]:
    """With the comment of each field; one without has that of the field above it, with which it stands."""
    comments, above = field_comments(settings), ""
    fields: dict[str, Any] = {}
    for name, field in schema["properties"].items():
        above = comments[kind.__name__, name] or above
        kept = {key: value for key, value in field.items() if key != "default" or value is not None}
        fields[name] = {**kept, "description": f"{above[:1].upper()}{above[1:]}."}
    return {**schema, "properties": fields}


NetworkObject = Annotated[dict[str, Any], WithJsonSchema(_schema())]
"""A body's field that takes settings of the MAC layer; the registry checks what is in it."""
