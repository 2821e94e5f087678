"""What sections of the configuration are made of."""

from typing import Annotated

import msgspec
from msgspec import Meta


class ConfigError(ValueError):
    """The file cannot be used; the text names the key, the value and what would be right."""


Port = Annotated[int, Meta(ge=0, le=65_535)]
Days = Annotated[float, Meta(ge=0, le=36_500)]


class Section(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A section of the file: unknown keys are refused."""
