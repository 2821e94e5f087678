"""Bodies and answers of the bench's routes."""

from typing import Any

import msgspec
from pydantic import BaseModel, Field

from decoders.contract import Context, Gateway
from lns.api import times
from lns.api.routes.codec_shapes import EXAMPLE, SOURCE, Examples
from lns.api.shapes import Body, Eui, example


class Heard(Body):
    """A gateway that heard the uplink."""

    eui: str
    rssi: float | None = None
    snr: float | None = None
    latitude: float | None = None
    longitude: float | None = None
    altitude: float | None = None


class ContextBody(Body):
    """What a script may know beyond the portable input."""

    model_config = example(dev_eui="70b3d57ed0000001", name="cellar", dr=5)

    dev_eui: str = Field("0" * 16, description="DevEUI, 16 hex digits.")
    fcnt: int = Field(0, ge=0, description="Uplink counter.")
    name: str = Field("", description="The device's name.")
    tags: dict[str, str] = Field({}, description="The device's tags.")
    join_eui: str = Field("", description="JoinEUI, 16 hex digits.")
    application: str = Field("", description="Name of the device's application.")
    dr: int | None = Field(None, description="Data rate.")
    data_rate: str = Field("", description="The data rate by name, such as SF7BW125.")
    freq_hz: int | None = Field(None, description="Frequency.")
    gateways: list[Heard] = Field([], description="Which gateways heard it.")
    previous: dict[str, Any] | None = Field(None, description="The values decoded last.")
    state: str | None = Field(None, description="What the script kept for the device, as JSON text.")

    def told(self) -> Context:
        """As the decoders take it."""
        gateways = tuple(Gateway(g.eui, g.rssi, g.snr, g.latitude, g.longitude, g.altitude) for g in self.gateways)
        previous = None if self.previous is None else msgspec.json.encode(self.previous).decode()
        return Context(
            name=self.name,
            tags=self.tags,
            dr=self.dr,
            data_rate=self.data_rate,
            freq_hz=self.freq_hz,
            gateways=gateways,
            previous=previous,
            join_eui=self.join_eui,
            application=self.application,
        )


class RunBody(Body):
    """A codec, stored or not, and one payload for it."""

    model_config = example(source=SOURCE, fport=2, payload="2b")

    source: str | None = Field(None, description="JavaScript; or `codec`.")
    codec: str | None = Field(
        None, description="Name of a stored codec: its version in use, or one named as in `lht65@2` or `lht65@draft`."
    )
    convention: str | None = Field(None, description="The form of `source`, where it is not told by itself.")
    fport: int = Field(ge=0, le=255, description="FPort the codec is told.")
    payload: str = Field(min_length=2, max_length=512, description="Decrypted payload as hex.")
    recv_time: times.Instant | None = Field(None, description="The script's clock, RFC 3339; null: now.")
    variables: dict[str, str] = Field({}, description="What the script sees as `variables`.")
    context: ContextBody | None = Field(None, description="What the script sees of the uplink and its device.")


class TestBody(Body):
    """A codec, stored or not, and examples for it."""

    model_config = example(source=SOURCE, examples=[EXAMPLE])

    source: str | None = Field(None, description="JavaScript; or `codec`.")
    codec: str | None = Field(None, description="A stored codec, as in `lht65`, `lht65@2` or `lht65@draft`.")
    convention: str | None = Field(None, description="The form of `source`, where it is not told by itself.")
    examples: Examples | None = Field(None, description="As TS013 has them; null: those stored with the version.")


class ErrorReply(BaseModel):
    """Why a codec failed, with the place in the author's file."""

    reason: str = Field(examples=["exception"])
    message: str
    line: int | None = Field(description="Counting from 1.", examples=[2])
    column: int | None = Field(examples=[16])
    excerpt: str | None = Field(description="That line with two before it and a mark.")


class MeasurementReply(BaseModel):
    """A measurement as it would be stored."""

    field: str = Field(examples=["air.temperature"])
    value: float | bool | str = Field(examples=[21.5])
    unit: str | None = Field(examples=["°C"])
    at: str | None = Field(description="Its own time, RFC 3339, UTC; null: the uplink's.")


class SuggestionReply(BaseModel):
    """A field that the vocabulary does not know: it is stored under its own name."""

    field: str = Field(examples=["tempratur"])
    names: list[str] = Field(description="Names that may be meant; often none.", examples=[["air.temperature"]])


class RunReply(BaseModel):
    """What the codec made of the payload; `data` is null where it failed."""

    data: Any = Field(examples=[{"temperature": 21.5}])
    normalized: Any = Field(description="What normalizeUplink made of it, where the script has that.")
    measurements: list[MeasurementReply]
    suggestions: list[SuggestionReply] = Field(description="Fields that no dashboard knows by their name.")
    warnings: list[str]
    errors: list[str] = Field(description="With line and column in the source, where known.")
    error: ErrorReply | None
    logs: list[str] = Field(description="What the script wrote to its console.")
    state: str | None = Field(description="What the script keeps for the device's next uplink; null: as it was.")
    duration_us: int = Field(examples=[120])
    memory_bytes: int = Field(description="Heap of the script's realm after the run.", examples=[1_200_000])
    input: dict[str, Any] = Field(description="What it was given.")


class DifferenceReply(BaseModel):
    """A place where the result is not as expected; null stands for nothing."""

    path: str = Field(examples=["data.temperature"])
    expected: Any = Field(examples=[21.5])
    got: Any = Field(examples=[21.4])


class OutcomeReply(BaseModel):
    """How an example went."""

    description: str = Field(examples=["a mild day"])
    type: str = Field(description="uplink, downlink-encode or downlink-decode.", examples=["uplink"])
    passed: bool
    differences: list[DifferenceReply]
    input: dict[str, Any] = Field(description="What the codec was given.")
    got: dict[str, Any] = Field(description="What came out.")
    error: ErrorReply | None
    logs: list[str]
    duration_us: int
    memory_bytes: int


class TestReply(BaseModel):
    """How the examples went."""

    convention: str = Field(examples=["ts013"])
    passed: int = Field(examples=[1])
    failed: int = Field(examples=[0])
    outcomes: list[OutcomeReply]


class ExampleBody(Body):
    """An example to add to a version: one of TS013, or a stored uplink with what the version makes of it now."""

    model_config = example(uplink_seq=1042, description="frost")

    example: dict[str, Any] | None = Field(None, description="As TS013 has it; or `uplink_seq` or `device`.")
    uplink_seq: int | None = Field(None, ge=1, description="An uplink's place in the log.")
    device: Eui | None = Field(None, description="Its newest uplink, by DevEUI.")
    description: str = Field("", max_length=200, description="What the uplink shows.")


class ExamplesBody(Body):
    """All examples of a version."""

    model_config = example(examples=[EXAMPLE])

    examples: Examples = Field(max_length=500, description="As TS013 has them.")


class ExamplesReply(BaseModel):
    """The examples of a version, and how they went."""

    examples: Examples
    passed: int = Field(examples=[1])
    failed: int = Field(examples=[0])
