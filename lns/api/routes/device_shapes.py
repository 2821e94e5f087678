"""Bodies and answers of the device routes."""

from typing import Any, Literal

from pydantic import BaseModel, Field

from lns.api import times
from lns.api.network_schema import EXAMPLE, NetworkObject
from lns.api.routes.health_shapes import HealthReply, health_of
from lns.api.rule_shapes import HeldBackReply, PerHour, Rule, ShownRules
from lns.api.services import Services
from lns.api.shapes import Body, example, optional
from lns.registry.rows import Device, SessionRow

_TAGS = {"room": "cellar"}


_KEY = "2b7e151628aed2a6abf7158809cf4f3c"


class AbpBody(Body):
    """The fixed session of an ABP device: two keys in LoRaWAN 1.0, four in 1.1."""

    model_config = example(dev_addr="260b1f22", nwk_s_key=_KEY, app_s_key="3c4fcf098815f7aba6d2ae2816157e2b")

    dev_addr: str = Field(description="DevAddr, 8 hex digits.")
    nwk_s_key: str | None = Field(None, description="NwkSKey of LoRaWAN 1.0, 32 hex digits.")
    f_nwk_s_int_key: str | None = Field(None, description="FNwkSIntKey of LoRaWAN 1.1, 32 hex digits.")
    s_nwk_s_int_key: str | None = Field(None, description="SNwkSIntKey of LoRaWAN 1.1, 32 hex digits.")
    nwk_s_enc_key: str | None = Field(None, description="NwkSEncKey of LoRaWAN 1.1, 32 hex digits.")
    app_s_key: str = Field(description="AppSKey, 32 hex digits.")
    fcnt_up: int | None = Field(
        None, ge=-1, le=0xFFFF_FFFF, description="Last uplink counter heard; null or -1: none yet."
    )
    fcnt_down: int = Field(
        0, ge=0, le=0xFFFF_FFFF, description="Next downlink counter to use; in LoRaWAN 1.1 the NFCntDown."
    )
    afcnt_down: int = Field(0, ge=0, le=0xFFFF_FFFF, description="Next AFCntDown, in LoRaWAN 1.1 only.")


class DeviceBody(Body):
    """A device to create: with `app_key` it joins over the air (otaa), with `abp` its session is fixed.

    The LoRaWAN version is that of its template: one of 1.1 joins with `nwk_key` and `app_key`.
    """

    model_config = example(
        dev_eui="70b3d57ed0000001",
        name="cellar",
        join_eui="70b3d57ed0000000",
        app_key=_KEY,
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
    nwk_key: str | None = Field(None, description="NwkKey of an otaa device of LoRaWAN 1.1, 32 hex digits.")
    gen_app_key: str | None = Field(None, description="GenAppKey, for multicast with LoRaWAN 1.0 devices (TS005).")
    abp: AbpBody | None = Field(None, description="Session of an abp device.")
    codec: str | None = Field(None, description="Codec, where it is not the template's.")
    fcnt_reset_allowed: bool | None = Field(
        None, description="The uplink counter may start again at 0; null: as the template says."
    )
    disabled: bool = Field(False, description="Refuse its frames.")
    tags: dict[str, str] = Field({}, description="Up to 32 names of 64 characters with values of 256.")
    variables: dict[str, str] = Field({}, description="What its codec sees as `variables`; limits as for tags.")
    network: NetworkObject = Field(
        {}, description="Class, ADR, receive windows and the like, where not the template's."
    )
    rules: dict[str, Rule] = Field({}, description="Which values are stored and sent, in place of the template's rule.")
    max_measurements_per_hour: PerHour | None = Field(
        None, description="Most that is stored of an hour (UTC); null: as the template says, 0: no limit."
    )


class DeviceChange(Body):
    """The fields to change; what is left out stays."""

    model_config = example(name="cellar, north wall", disabled=False)

    name: str = optional("Name for people, at most 128 characters.")
    application: str = optional("Application it belongs to.")
    template: str = optional("Device template it follows.")
    join_eui: str | None = optional("JoinEUI, 16 hex digits; null: any is accepted.")
    app_key: str = optional("AppKey of an otaa device, 32 hex digits.")
    nwk_key: str | None = optional("NwkKey of an otaa device of LoRaWAN 1.1, 32 hex digits; null: none.")
    gen_app_key: str | None = optional("GenAppKey, 32 hex digits; null: none.")
    abp: AbpBody = optional("New session of an abp device; under a key used before, downlink counters never go back.")
    codec: str | None = optional("Codec; null: the template's.")
    fcnt_reset_allowed: bool | None = optional("The uplink counter may start again at 0; null: as the template says.")
    disabled: bool = optional("Refuse its frames.")
    tags: dict[str, str] = optional("Replaces all tags.")
    variables: dict[str, str] = optional("Replaces all variables.")
    network: NetworkObject = optional("Merged into what is set; null in it: as the template says.")
    rules: dict[str, Rule] = optional("Rules of its own by measurement field; replaces all of its own.")
    max_measurements_per_hour: PerHour | None = optional("Null: as the template says, 0: no limit.")


class SessionReply(BaseModel):
    """The device's session; its keys are behind a permission of their own."""

    dev_addr: str = Field(examples=["260b1f22"])
    region: str = Field(examples=["EU868"])
    lorawan: Literal["1.0", "1.1"] = Field(description="A 1.1 session has four keys and two downlink counters.")
    fcnt_up: int | None = Field(description="Last uplink counter accepted; null: none yet.", examples=[41])
    fcnt_down: int = Field(description="Next downlink counter, in a 1.1 session the NFCntDown.", examples=[7])
    afcnt_down: int | None = Field(description="Next AFCntDown; null in a 1.0 session.", examples=[None])
    rx1_delay_s: int = Field(examples=[1])
    rx1_dr_offset: int = Field(examples=[0])
    rx2_dr: int = Field(examples=[0])
    rx2_freq_hz: int = Field(examples=[869_525_000])
    created_at: str = Field(description="RFC 3339, UTC.", examples=["2026-01-31T08:00:00.000000Z"])


class DeviceReply(BaseModel):
    """A device; its keys are behind a permission of their own."""

    dev_eui: str = Field(examples=["70b3d57ed0000001"])
    name: str = Field(examples=["cellar"])
    application: str = Field(examples=["greenhouse"])
    template: str = Field(examples=["dragino-lht65"])
    activation: Literal["otaa", "abp"]
    join_eui: str | None = Field(examples=["70b3d57ed0000000"])
    has_app_key: bool
    has_nwk_key: bool
    has_gen_app_key: bool
    codec: str | None = Field(description="Null: the template's.")
    fcnt_reset_allowed: bool | None = Field(description="Null: as the template says.")
    disabled: bool
    tags: dict[str, str] = Field(examples=[_TAGS])
    variables: dict[str, str]
    network: dict[str, Any] = Field(description="What is set; the rest is the template's.", examples=[EXAMPLE])
    rules: ShownRules = Field(description="Its own; the rest is the template's.", examples=[{}])
    max_measurements_per_hour: int | None = Field(description="Null: as the template says.", examples=[None])
    held_back: HeldBackReply
    session: SessionReply | None = Field(description="Null: it has not joined yet.")
    last_seen_at: str | None = Field(description="RFC 3339, UTC; null: never heard.")
    health: HealthReply | None = Field(description="Whether it is there; null: it was never heard.")
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


def shown(device: Device, services: Services) -> dict[str, Any]:
    """A device as JSON."""
    return {
        "dev_eui": device.dev_eui,
        "name": device.name,
        "application": device.application,
        "template": device.template,
        "activation": device.activation,
        "join_eui": device.join_eui,
        "has_app_key": device.has_app_key,
        "has_nwk_key": device.has_nwk_key,
        "has_gen_app_key": device.has_gen_app_key,
        "codec": device.codec,
        "fcnt_reset_allowed": device.fcnt_reset_allowed,
        "disabled": device.disabled,
        "tags": device.tags,
        "variables": device.variables,
        "network": device.network,
        "rules": device.rules,
        "max_measurements_per_hour": device.max_measurements_per_hour,
        "held_back": services.decoding.held_back.of(device.id),
        "session": None if device.session is None else _session(device.session),
        "last_seen_at": times.text_or_none(device.last_seen_at_us),
        "health": health_of(services, "device", str(device.id)),
        "created_at": times.text(device.created_at_us),
    }


def _session(session: SessionRow) -> dict[str, Any]:
    return {
        "dev_addr": session.dev_addr,
        "region": session.region,
        "lorawan": f"1.{session.minor}",
        "fcnt_up": session.fcnt_up if session.fcnt_up >= 0 else None,
        "fcnt_down": session.fcnt_down,
        "afcnt_down": session.afcnt_down if session.minor else None,
        "rx1_delay_s": session.rx1_delay_s,
        "rx1_dr_offset": session.rx1_dr_offset,
        "rx2_dr": session.rx2_dr,
        "rx2_freq_hz": session.rx2_freq_hz,
        "created_at": times.text(session.created_at_us),
    }
