"""What to do about a refused frame or a downlink that did not go: one sentence a reason, with a command to copy."""

from typing import Any

_WAIT = "nothing, while it is rare: noise that passed the radio's CRC, or another protocol"
_REGION = "check the region of the device's template with: lns template show NAME"
_LATE = "the way to the gateway is slow: give the region a longer rx1_delay_s, see lns check --explain"
_HINTS = {
    "malformed": _WAIT,
    "unsupported_major": _WAIT,
    "unexpected_direction": "nothing: a gateway near another one hears its downlinks",
    "proprietary": _WAIT,
    "fopts_with_fport0": "ask the device's maker: its frames break the specification",
    "payload_too_long": "ask the device's maker, or let it use a higher data rate",
    "data_rate_not_in_region": _REGION,
    "frequency_not_in_region": _REGION,
    "unknown_dev_addr": "a neighbour's device; if it is yours, let it join again or add it: lns device add --help",
    "mic_failed": "a neighbour's device with the same DevAddr; if it is yours, its session keys differ from those here",
    "mic_other_transmission": "a gateway reports another frequency or data rate than was used: check its channels",
    "fcnt_not_above_last": "let it join again; an abp device may start again at 0 after: "
    "lns device set {dev_eui} --fcnt-reset",
    "fcnt_gap": "let the device join again; an abp device needs its counters set",
    "fcnt_exhausted": "let the device join again, or give it new session keys",
    "device_disabled": "serve it again with: lns device set {dev_eui} --enabled",
    "unknown_dev_eui": "add it, if it is yours: lns device add {dev_eui} --app-key KEY",
    "join_eui_mismatch": "take the device's JoinEUI, or any: lns device set {dev_eui} --join-eui any",
    "join_not_allowed": "the device is an abp device here: remove it and add it with its keys",
    "join_mic_failed": "the root key differs between device and server: lns device set {dev_eui} --app-key KEY",
    "dev_nonce_reused": "wait for its next try; a device that repeats itself for ever lacks randomness: ask its maker",
    "dev_nonce_not_increasing": "it has forgotten its counter, after a reset of its memory: remove it and add it again",
    "join_nonces_exhausted": "remove the device and add it again",
    "rejoin_not_allowed": "the device has no session of lorawan 1.1: let it join",
    "rejoin_mic_failed": "the keys differ between device and server: let the device join again",
    "rj_count_not_above_last": "a replay; a device that has forgotten its counter has to join again",
    "log_behind": "look at the disk and at: lns exchange status",
    "downlink_late": _LATE,
    "downlink_too_long": "let the device use a higher data rate, or send shorter payloads",
    "downlink_no_airtime": "the gateway's duty cycle is used up: send less, or add a gateway",
    "downlink_busy": "the gateway transmits something else then: send less, or add a gateway",
    "downlink_fcnt_exhausted": "let the device join again, or give it new session keys",
    "downlink_refused": "the gateway says why: look at its clock, its channels and its load",
    "downlink_no_gateway": "check that a gateway that hears the device is connected: lns gateway list",
}


def hint(event: dict[str, Any]) -> str | None:
    """What to do about an event of kind refusal; None where its reason is not known here."""
    text = _HINTS.get(event["reason"])
    return None if text is None else text.format(dev_eui=event.get("dev_eui") or "DEV_EUI")


def hinted(event: dict[str, Any]) -> dict[str, Any]:
    """The event, with a hint when it is a refusal."""
    return {**event, "hint": hint(event)} if event["kind"] == "refusal" else event
