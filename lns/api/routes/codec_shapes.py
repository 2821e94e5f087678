"""Bodies and answers of the codec routes."""

from typing import Any

from pydantic import BaseModel, Field

from decoders.conventions import CONVENTIONS
from lns.api import times
from lns.api.problems import ApiProblem
from lns.api.shapes import Body, example
from lns.registry.rows import Activation, Codec, CodecVersion

SOURCE = "function decodeUplink(input) { return { data: { temperature: input.bytes[0] / 2 } }; }"
EXAMPLE = {
    "type": "uplink",
    "description": "a mild day",
    "input": {"bytes": [43], "fPort": 2},
    "output": {"data": {"temperature": 21.5}},
}
_AT = "2026-01-31T08:00:00.000000Z"
_JAVASCRIPT = "JavaScript in any of the forms of the decoders' guide."

Examples = list[dict[str, Any]]

_CONVENTION = Field(
    None, description=f"The form of the script, where it is not told by itself: {', '.join(CONVENTIONS)}."
)

_ACTIVATE = Field(
    True, description="Use it from the next uplink on; false, or an example that fails: it stays a draft."
)
_FORCE = Field(None, description="Use it although examples fail; the reason is kept.")


def check_convention(convention: str | None) -> str | None:
    """A form of scripts that is known."""
    if convention is not None and convention not in CONVENTIONS:
        known = ", ".join(CONVENTIONS)
        raise ApiProblem(422, "invalid", f"convention is {convention!r}, known are {known}")
    return convention


class CodecBody(Body):
    """A codec to create."""

    model_config = example(name="lht65", source=SOURCE, note="from the vendor's page", examples=[EXAMPLE])

    name: str = Field(description="1 to 64 characters without a slash; unique.")
    source: str = Field(description=_JAVASCRIPT)
    note: str = Field("", description="What is new in this version.")
    convention: str | None = _CONVENTION
    examples: Examples = Field([], description="Inputs with what the codec has to make of them, as TS013 has them.")
    activate: bool = _ACTIVATE
    force_reason: str | None = _FORCE


class VersionBody(Body):
    """A new version of a codec."""

    model_config = example(source=SOURCE, note="humidity in percent", activate=True)

    source: str = Field(description=_JAVASCRIPT)
    note: str = Field("", description="What is new in this version.")
    convention: str | None = _CONVENTION
    examples: Examples | None = Field(None, description="As TS013 has them; null: those of the version before.")
    activate: bool = _ACTIVATE
    force_reason: str | None = _FORCE


class ActivateBody(Body):
    """The version to use."""

    model_config = example(version=1)

    version: int = Field(ge=1, description="Number of a version, an older one too.")
    force_reason: str | None = _FORCE


class RetireBody(Body):
    """The version to set aside."""

    model_config = example(version=2)

    version: int = Field(ge=1, description="Number of a version that is not in use.")


class VersionSummary(BaseModel):
    """A version without its source."""

    version: int = Field(examples=[1])
    sha256: str = Field(description="Of the source; `builtin:...` for a codec without one.")
    convention: str = Field(description="What the source follows.", examples=["ts013"])
    note: str
    created_at: str = Field(description="RFC 3339, UTC.", examples=[_AT])
    author: str = Field(description="Name of the API key that added it.", examples=["admin"])
    state: str = Field(description="draft (never in use), active or retired.", examples=["active"])
    examples_passed: int = Field(description="As of the last run.", examples=[5])
    examples_failed: int = Field(examples=[0])


class VersionReply(VersionSummary):
    """A version that was stored or activated."""

    codec: str = Field(examples=["lht65"])
    active: bool = Field(description="It is in use.")
    refused: str | None = Field(description="Why it is not, although that was asked for.")


class CodecSummary(BaseModel):
    """A codec in the list."""

    name: str = Field(examples=["lht65"])
    active_version: int | None = Field(examples=[1])
    versions: int = Field(description="How many versions it has.", examples=[1])
    convention: str | None = Field(description="Of the version in use.", examples=["ts013"])
    created_at: str = Field(description="RFC 3339, UTC.", examples=[_AT])


class ActivationReply(BaseModel):
    """A version was put in use."""

    version: int = Field(examples=[2])
    replaced: int | None = Field(description="The version in use before.", examples=[1])
    rollback: bool
    author: str = Field(description="Name of the API key.", examples=["admin"])
    reason: str | None = Field(description="Why although examples failed.")
    at: str = Field(description="RFC 3339, UTC.", examples=[_AT])


class CodecReply(BaseModel):
    """A codec with its versions and the source of one of them."""

    name: str = Field(examples=["lht65"])
    active_version: int | None = Field(examples=[1])
    versions: list[VersionSummary]
    activations: list[ActivationReply] = Field(description="When versions were put in use, newest first.")
    source: str = Field(description="Of the version asked for, else of the one in use.", examples=[SOURCE])
    examples: Examples = Field(description="Of the same version.", examples=[[EXAMPLE]])
    created_at: str = Field(description="RFC 3339, UTC.", examples=[_AT])


def codec_summary(codec: Codec, convention: str | None) -> dict[str, Any]:
    """A codec as JSON."""
    return {
        "name": codec.name,
        "active_version": codec.active_version,
        "versions": codec.versions,
        "convention": convention,
        "created_at": times.text(codec.created_at_us),
    }


def version_summary(version: CodecVersion) -> dict[str, Any]:
    """A version as JSON."""
    return {
        "version": version.number,
        "sha256": version.sha256,
        "convention": version.convention,
        "note": version.note,
        "created_at": times.text(version.created_at_us),
        "author": version.author,
        "state": version.state,
        "examples_passed": version.passed,
        "examples_failed": version.failed,
    }


def version_reply(version: CodecVersion, refused: str | None = None) -> dict[str, Any]:
    """A version that was stored or activated, as JSON."""
    active = version.state == "active"
    return {**version_summary(version), "codec": version.codec, "active": active, "refused": refused}


def activation_reply(activation: Activation) -> dict[str, Any]:
    """An activation as JSON."""
    return {
        "version": activation.version,
        "replaced": activation.replaced,
        "rollback": activation.rollback,
        "author": activation.author,
        "reason": activation.reason,
        "at": times.text(activation.at_us),
    }
