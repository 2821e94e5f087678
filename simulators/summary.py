"""Numbers of a run: percentiles, and the summary that tests, the demo and the benchmark read."""

from collections.abc import Sequence
from typing import Any

from simulators import payloads
from simulators.air import Air
from simulators.gateway_udp import Gateway
from simulators.ledger import Ledger
from simulators.options import FleetOptions


def percentile(sorted_values: Sequence[float], share: float) -> float | None:
    """The value that `share` of the values do not exceed (nearest rank)."""
    if not sorted_values:
        return None
    return sorted_values[min(len(sorted_values) - 1, int(share * len(sorted_values)))]


def spread(name: str, values: Sequence[float], scale: float) -> dict[str, float | None]:
    """Smallest, p50, p99 and largest as NAME_min_ms and so on; `scale` turns the values into milliseconds."""
    ordered = sorted(values)
    shares = {"min": 0.0, "p50": 0.5, "p99": 0.99, "max": 1.0}
    found = {f"{name}_{key}_ms": percentile(ordered, share) for key, share in shares.items()}
    return {key: None if value is None else round(value * scale, 3) for key, value in found.items()}


def summarise(
    options: FleetOptions,
    ledger: Ledger,
    air: Air,
    gateways: Sequence[Gateway],
    sending: dict[str, int],
    elapsed_s: float,
    cpu_s: float,
) -> dict[str, Any]:
    """Everything a run has to tell. `sending` holds the counts of the fleet, `cpu_s` what sending itself cost."""
    counts = air.counts
    sent = len(ledger)
    acks = [value for gateway in gateways for value in gateway.ack_s]
    refused: dict[str, int] = {}
    for gateway in gateways:
        for error, count in gateway.refused.items():
            refused[error] = refused.get(error, 0) + count
    return {
        "seed": options.seed,
        "region": options.region,
        "activation": options.activation,
        "gateways": options.gateways,
        "devices": options.devices,
        "sent": sent,
        **sending,
        "datagrams": sum(gateway.datagrams for gateway in gateways),
        "acked_datagrams": sum(gateway.acknowledged for gateway in gateways),
        "unacked_datagrams": sum(gateway.unacknowledged for gateway in gateways),
        "joined": counts["joined"],
        "confirmed_sent": ledger.confirmed,
        "acked_confirmed": ledger.answered_confirmed,
        "pull_resps": sum(gateway.pull_resps for gateway in gateways),
        "pull_resps_ignored": sum(gateway.ignored for gateway in gateways),
        "pull_resps_refused": refused,
        "downlinks_sent": counts["sent"],
        "downlinks_received": counts["received"],
        "downlinks_rx1": counts["rx1"],
        "downlinks_rx2": counts["rx2"],
        "downlinks_class_b": counts["ping"],
        "downlinks_class_c": counts["class_c"],
        "downlinks_missed": counts["missed"],
        "downlinks_lost_by_radio": counts["lost"],
        "downlinks_mic_bad": counts["mic_bad"],
        "downlinks_malformed": counts["malformed"],
        "downlinks_foreign": counts["foreign"],
        "downlinks_outside_window": counts["outside_window"],
        "downlinks_wrong_parameters": counts["wrong_parameters"],
        "downlinks_repeated": counts["repeated"],
        "duplicate_fcnt_down": counts["fcnt_reused"],
        "fcnt_down_behind": counts["fcnt_behind"],
        "unasked_acks": counts["unasked_ack"],
        "link_check_answers": counts["link_check_answers"],
        "device_time_answers": counts["device_time_answers"],
        "device_time_error_ms": round(air.time_error_s * 1000, 3),
        "expected_uplinks": ledger.expected,
        "expected_measurements": ledger.expected * len(payloads.FIELDS),
        "elapsed_s": round(elapsed_s, 3),
        "uplinks_per_s": round(sent / elapsed_s, 1) if elapsed_s else 0.0,
        **spread("push_ack", acks, 1000),
        **spread("pull_resp", air.pull_resp_s, 1000),
        **spread("rx_lead", [lead for gateway in gateways for lead in gateway.lead_us], 0.001),
        "generator_cpu_us_per_uplink": round(cpu_s / sent * 1e6, 2) if sent else 0.0,
    }
