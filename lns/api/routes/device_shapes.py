"""Bodies and answers of the device routes."""

from typing import Any, Literal

from pydantic import BaseModel, Field

from lns.api import times
from lns.api.shapes import Body, example, optional
from lns.registry.rows import Device, SessionRow

_TAGS = {"room": "cellar"}


class AbpBody(Body):
    """The fixed session of an ABP device."""

    model_config = example(
        dev_addr="260b1f22", nwk_s_key="2b7e151628aed2a6abf7158809cf4f3c", app_s_key="3c4fcf098815f7aba6d2ae2816157e2b"
    )

    dev_addr: str = Field(description="DevAddr, 8 hex digits.")
    nwk_s_key: str = Field(description="NwkSKey, 32 hex digits.")
    app_s_key: str = Field(description="AppSKey, 32 hex digits.")
    fcnt_up: int | None = Field(
        None, ge=-1, le=0xFFFF_FFFF, description="Last uplink counter heard; null or -1: none yet."
    )
    fcnt_down: int = Field(0, ge=0, le=0xFFFF_FFFF, description="Next downlink counter to use.")


class DeviceBody(Body):
    """A device to create: with `app_key` it joins over the air (otaa), with `abp` its session is fixed."""

    model_config = example(
        dev_eui="70b3d57ed0000001",
        name="cellar",
        join_eui="70b3d57ed0000000",
        app_key="2b7e151628aed2a6abf7158809cf4f3c",
        tags=_TAGS,
    )

    dev_eui: str = Field(description="DevEUI, 16 hex digits.")
    name: str = Field("", description="For people, at most 128 characters; empty: the DevEUI.")
    application: str = Field("default", description="Application it belongs to.")
    template: str = Field("default", description="Device template it follows.")
    activation: Literal["otaa", "abp"] | None = Field(
        None, description="Null: abp where a session is given, else otaa."
    )
    join_eui: str | None = Field(None, description="JoinEUI (AppEUI), 16 hex digits; null: any is accepted.")
    app_key: str | None = Field(None, description="AppKey of an otaa device, 32 hex digits.")
    abp: AbpBody | None = Field(None, description="Session of an abp device.")
    codec: str | None = Field(None, description="Codec, where it is not the template's.")
    fcnt_reset_allowed: bool | None = Field(
        None, description="The uplink counter may start again at 0; null: as the template says."
    )
    disabled: bool = Field(False, description="Refuse its frames.")
    tags: dict[str, str] = Field({}, description="Up to 32 names of 64 characters with values of 256.")
    variables: dict[str, str] = Field({}, description="What its codec sees as `variables`; limits as for tags.")


class DeviceChange(Body):
    """The fields to change; what is left out stays."""

    model_config = example(name="cellar, north wall", disabled=False)

    name: str = optional("Name for people, at most 128 characters.")
    application: str = optional("Application it belongs to.")
    template: str = optional("Device template it follows.")
    join_eui: str | None = optional("JoinEUI, 16 hex digits; null: any is accepted.")
    app_key: str = optional("AppKey of an otaa device, 32 hex digits.")
    abp: AbpBody = optional("New session of an abp device; under the same NwkSKey FCntDown never goes back.")
    codec: str | None = optional("Codec; null: the template's.")
    fcnt_reset_allowed: bool | None = optional("The uplink counter may start again at 0; null: as the template says.")
    disabled: bool = optional("Refuse its frames.")
    tags: dict[str, str] = optional("Replaces all tags.")
    variables: dict[str, str] = optional("Replaces all variables.")


class SessionReply(BaseModel):
    """The device's session; keys are never shown."""

    dev_addr: str = Field(examples=["260b1f22"])
    region: str = Field(examples=["EU868"])
    fcnt_up: int | None = Field(description="Last uplink counter accepted; null: none yet.", examples=[41])
    fcnt_down: int = Field(description="Next downlink counter.", examples=[7])
    rx1_delay_s: int = Field(examples=[1])
    rx1_dr_offset: int = Field(examples=[0])
    rx2_dr: int = Field(examples=[0])
    rx2_freq_hz: int = Field(examples=[869_525_000])
    created_at: str = Field(description="RFC 3339, UTC.", examples=["2026-01-31T08:00:00.000000Z"])


class DeviceReply(BaseModel):
    """A device; its keys are never shown."""

    dev_eui: str = Field(examples=["70b3d57ed0000001"])
    name: str = Field(examples=["cellar"])
    application: str = Field(examples=["greenhouse"])
    template: str = Field(examples=["dragino-lht65"])
    activation: Literal["otaa", "abp"]
    join_eui: str | None = Field(examples=["70b3d57ed0000000"])
    has_app_key: bool
    codec: str | None = Field(description="Null: the template's.")
    fcnt_reset_allowed: bool | None = Field(description="Null: as the template says.")
    disabled: bool
    tags: dict[str, str] = Field(examples=[_TAGS])
    variables: dict[str, str]
    session: SessionReply | None = Field(description="Null: it has not joined yet.")
    last_seen_at: str | None = Field(description="RFC 3339, UTC; null: never heard.")
    created_at: str = Field(description="RFC 3339, UTC.")


class ImportRow(BaseModel):
    """What became of one row."""

    line: int = Field(description="Line of the CSV file, or place in the list, counting from 1.", examples=[2])
    dev_eui: str | None = Field(examples=["70b3d57ed0000001"])
    ok: bool
    error: str | None = Field(description="Why the row was refused.", examples=[None])


class ImportReply(BaseModel):
    """The result of many devices; a bad row never stops the good ones."""

    rows: list[ImportRow]
    created: int = Field(description="Devices created, or that would be.", examples=[1])
    failed: int = Field(examples=[0])
    dry_run: bool


def shown(device: Device) -> dict[str, Any]:
    """A device as JSON."""
    return {
        "dev_eui": device.dev_eui,
        "name": device.name,
        "application": device.application,
        "template": device.template,
        "activation": device.activation,
        "join_eui": device.join_eui,
        "has_app_key": device.has_app_key,
        "codec": device.codec,
        "fcnt_reset_allowed": device.fcnt_reset_allowed,
        "disabled": device.disabled,
        "tags": device.tags,
        "variables": device.variables,
        "session": None if device.session is None else _session(device.session),
        "last_seen_at": times.text_or_none(device.last_seen_at_us),
        "created_at": times.text(device.created_at_us),
    }


def _session(session: SessionRow) -> dict[str, Any]:
    return {
        "dev_addr": session.dev_addr,
        "region": session.region,
        "fcnt_up": session.fcnt_up if session.fcnt_up >= 0 else None,
        "fcnt_down": session.fcnt_down,
        "rx1_delay_s": session.rx1_delay_s,
        "rx1_dr_offset": session.rx1_dr_offset,
        "rx2_dr": session.rx2_dr,
        "rx2_freq_hz": session.rx2_freq_hz,
        "created_at": times.text(session.created_at_us),
    }
