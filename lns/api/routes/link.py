"""How a device is heard, and asking it to join anew."""

from typing import Any, Literal

from fastapi import APIRouter, Depends, Response
from pydantic import BaseModel, Field

from lns.api.auth import needs
from lns.api.problems import ApiProblem, documented
from lns.api.services import Given
from lns.api.shapes import Body, DevEui, example
from lns.network import DownlinkRefused

router = APIRouter(prefix="/devices/{dev_eui}", tags=["devices"])

_READ, _WRITE = [Depends(needs("read"))], [Depends(needs("write"))]
_GATEWAY = "a84041ffff1e8f2c"


class CopyReply(BaseModel):
    """One gateway's copy of an uplink."""

    gateway_eui: str | None = Field(examples=[_GATEWAY])
    snr_db: float | None = Field(description="Null: the gateway did not tell.", examples=[7.5])


class HeardReply(BaseModel):
    """One of the last uplinks."""

    fcnt: int = Field(examples=[41])
    at: str = Field(description="RFC 3339, UTC, exact to a second.", examples=["2026-01-31T08:00:00.000Z"])
    dr: int = Field(description="Data rate.", examples=[5])
    data_rate: str = Field(examples=["SF7BW125"])
    tx_power: int = Field(description="TXPower index commanded by then.", examples=[0])
    gateways: list[CopyReply] = Field(description="The best first, four at most.")


class LinkGatewayReply(BaseModel):
    """How often and how well a gateway heard the last uplinks."""

    gateway_eui: str | None = Field(examples=[_GATEWAY])
    uplinks: int = Field(examples=[20])
    margin_db_mean: float = Field(description="Mean distance to the demodulation floor.", examples=[11.5])
    margin_db_min: float = Field(examples=[4.0])


class BatteryReply(BaseModel):
    """What the device said of its power supply."""

    source: Literal["battery", "external", "unknown"]
    percent: int | None = Field(description="Null: not from a battery, or unknown.", examples=[78])


class LinkReply(BaseModel):
    """The radio link of a device: losses, gateways with their margins, data rates, battery."""

    received: int = Field(description="Uplinks of this session since the server's start.", examples=[1040])
    lost: int = Field(description="Missing between them, by the counters.", examples=[12])
    packet_error_rate: float | None = Field(description="Share lost; null: nothing heard yet.", examples=[0.0114])
    recent_packet_error_rate: float | None = Field(None, description="The same of the last uplinks.", examples=[0.0])
    uplinks: list[HeardReply] = Field(description="The last ones, 20 at most, oldest first.")
    gateways: list[LinkGatewayReply] = Field(description="Of these uplinks, the best first.")
    battery: BatteryReply | None = Field(description="Null: it has not said yet.")
    margin_db: int | None = Field(description="Margin of a downlink, as the device said.", examples=[12])
    status_at: str | None = Field(description="When it said so, RFC 3339, UTC.")
    device_class: Literal["A", "B", "C"] = Field(description="What it is now.")
    dr: int | None = Field(None, description="Data rate commanded or used last.", examples=[5])
    tx_power: int | None = Field(None, description="TXPower index it has.", examples=[0])
    nb_trans: int | None = Field(None, description="Transmissions of each uplink.", examples=[1])
    channels: str | None = Field(None, description="Channel mask, hex.", examples=["ff"])


class RejoinBody(Body):
    """How the device is to rejoin."""

    model_config = example(rejoin_type=0, dr=3)

    rejoin_type: Literal[0, 2] = Field(
        0, description="0: with new keys and radio parameters; 2: with new keys, radio parameters stay."
    )
    dr: int = Field(0, ge=0, le=7, description="Data rate of the rejoin-request.")


@router.get("/link", dependencies=_READ, response_model=LinkReply, responses=documented(404))
async def read_link(dev_eui: DevEui, services: Given) -> dict[str, Any]:
    """Show how the device is heard: packet error rate, gateways with margins, data rates, battery, class."""
    try:
        return services.network.link(dev_eui)
    except KeyError:
        raise _no_device(dev_eui) from None


@router.post("/rejoin", dependencies=_WRITE, status_code=204, responses=documented(404))
async def force_rejoin(dev_eui: DevEui, body: RejoinBody, services: Given) -> Response:
    """Ask a LoRaWAN 1.1 device for new session keys, with the next downlink (ForceRejoinReq)."""
    try:
        services.network.force_rejoin(dev_eui, body.rejoin_type, body.dr)
    except KeyError:
        raise _no_device(dev_eui) from None
    except DownlinkRefused as error:
        raise ApiProblem(422, "invalid", str(error)) from error
    return Response(status_code=204)


def _no_device(dev_eui: str) -> ApiProblem:
    return ApiProblem(404, "not_found", f"device {dev_eui} does not exist")
