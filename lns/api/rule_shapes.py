"""The rules of what is stored and sent, in bodies and answers of templates and devices."""

from typing import Annotated

from pydantic import BaseModel, Field

from decoders.change import MAX_INTERVAL_S, MAX_PER_HOUR
from lns.api.shapes import Body, example

RULES_EXAMPLE = {"temperature": {"deadband_abs": 0.2, "heartbeat_s": 3600, "min_interval_s": 60, "max_per_hour": 30}}

ShownRules = dict[str, dict[str, bool | int | float]]


class Rule(Body):
    """Which values of a field are stored and sent. Without a rule all are."""

    model_config = example(**RULES_EXAMPLE["temperature"])

    on_change: bool = Field(True, description="Only values that have changed; false: all that the limits let through.")
    deadband_abs: float = Field(0.0, ge=0, description="Smallest change that counts, in the field's unit.")
    deadband_rel: float = Field(0.0, ge=0, description="The same as a fraction of the last stored value: 0.05 is 5 %.")
    heartbeat_s: float = Field(3600.0, ge=0, description="An unchanged value is stored this often; 0: never.")
    min_interval_s: float = Field(
        0.0, ge=0, le=MAX_INTERVAL_S, description="Least time between two stored values; 0: no limit."
    )
    max_per_hour: int = Field(
        0, ge=0, le=MAX_PER_HOUR, description="Most values stored of an hour (UTC, by their own time); 0: no limit."
    )


class HeldBackReply(BaseModel):
    """How many measurements were not stored or sent since the start of the server, by reason."""

    unchanged: int = Field(description="They were as the one stored before.", examples=[118])
    dead_band: int = Field(description="They had changed by less than the dead-band.", examples=[12])
    min_interval: int = Field(description="They came too soon after, or before, a stored one.", examples=[0])
    max_per_hour: int = Field(description="Their field had its most for that hour.", examples=[0])
    device_max_per_hour: int = Field(description="Their device had its most for that hour.", examples=[0])


PerHour = Annotated[int, Field(ge=0, le=MAX_PER_HOUR)]
"""The most measurements of an hour."""
