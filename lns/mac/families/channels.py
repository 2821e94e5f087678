"""NewChannelReq and DlChannelReq: the extra channels of a dynamic plan. Fixed plans never answer them."""

from lns.lorawan.commands import parse_commands
from lns.mac.families.family import Answered, Family, View, coded_hz, real_hz, request
from lns.mac.radio import Radio
from lns.mac.session import Session

_AT_ONCE = 2
"""NewChannelReq in one downlink: two fit into FOpts, and into the smallest payload of a region with dwell time."""
_OCTETS = 6


def assume_factory(view: View) -> None:
    """Believe what the template says of an ABP device's factory channels, unless the device has shown otherwise."""
    session, radio, region = view.session, view.radio, view.region
    factory_hz = view.settings.factory_channels_hz
    if not session.abp or not factory_hz or any(key.startswith("link_adr:mask") for key in radio.refused):
        return
    if region.plan == "fixed":
        if "link_adr" not in radio.answered:
            known = [channel.index for channel in region.uplink_channels if channel.freq_hz in factory_hz]
            radio.mask = sum([1 << index for index in known]) or radio.mask
        return
    default_hz = {channel.freq_hz for channel in region.uplink_channels}
    extra_hz = [freq_hz for freq_hz in factory_hz if freq_hz not in default_hz]
    for index, freq_hz in enumerate(extra_hz, len(region.uplink_channels)):
        if index not in radio.channels and index < region.max_channels:
            radio.set_channel(region, index, freq_hz)


def missing(view: View) -> list[bytes]:
    """NewChannelReq for each extra channel of the network that the device should have and has not."""
    session, radio, region = view.session, view.radio, view.region
    wanted_hz = view.network.extra_channels_hz
    if not wanted_hz or not region.has_new_channel:
        return []
    # what an ABP device has is unknown, and one without ADR may have good reasons for it
    if session.abp and (session.history is None or not session.history.adr):
        return []
    have_hz = {channel.freq_hz for channel in radio.channels.values()}
    free = [
        index
        for index in range(len(region.uplink_channels), region.max_channels)
        if index not in radio.channels or radio.channels[index].freq_hz not in wanted_hz
    ]
    lacking = [freq_hz for freq_hz in wanted_hz if freq_hz not in have_hz]
    requests = [_new_channel(view, index, freq_hz) for index, freq_hz in zip(free, lacking, strict=False)]
    return [octets for octets in requests if not radio.refuses(NEW_CHANNEL.name, octets.hex())]


def asked_for(session: Session) -> list[tuple[int, int]]:
    """Index and frequency in Hz of the channels in a NewChannelReq that is not answered yet."""
    asked = session.known_radio().asked.get(NEW_CHANNEL.name)
    if asked is None:
        return []
    region = session.device.region
    requests = [command.fields for command in parse_commands(asked.octets, uplink=False)[0]]
    return [(fields["ch_index"], real_hz(region, fields["frequency_hz"])) for fields in requests]


def _new_channel(view: View, index: int, freq_hz: int) -> bytes:
    default = view.region.uplink_channels[0]
    return request(
        "NewChannelReq",
        ch_index=index,
        frequency_hz=coded_hz(view.region, freq_hz),
        max_dr=default.max_dr,
        min_dr=default.min_dr,
    )


def _wanted(view: View) -> bytes:
    return b"".join(missing(view)[:_AT_ONCE])


def _settle(done: Answered) -> tuple[str, ...]:
    # one answer for each request, in their order; LoRaWAN 1.0.3 and 1.1, NewChannelAns: one bit of 0 and no change
    refused = []
    for n, (fields, said) in enumerate(zip(done.requests, done.answers, strict=False)):
        if all(said.values()):
            freq_hz = real_hz(done.region, fields["frequency_hz"])
            done.radio.set_channel(done.region, fields["ch_index"], freq_hz)
        else:
            refused.append(done.octets[n * _OCTETS : (n + 1) * _OCTETS].hex())
    return tuple(refused)


NEW_CHANNEL = Family(
    name="new_channel",
    request="NewChannelReq",
    answer="NewChannelAns",
    wanted=_wanted,
    settle=_settle,
)


def _settle_dl(done: Answered) -> tuple[str, ...]:
    if not all(done.answers[-1].values()):
        return (done.octets.hex(),)
    fields = done.requests[-1]
    _move_rx1(done.radio, fields["ch_index"], real_hz(done.region, fields["frequency_hz"]))
    return ()


def _move_rx1(radio: Radio, index: int, freq_hz: int) -> None:
    moved = {**radio.dl_freq_hz, index: freq_hz}
    if radio.channels[index].freq_hz == freq_hz:
        del moved[index]
    radio.dl_freq_hz = moved


DL_CHANNEL = Family(
    name="dl_channel",
    request="DlChannelReq",
    answer="DlChannelAns",
    wanted=lambda view: b"",
    settle=_settle_dl,
    since="1.0.2",
    sticky_since="1.0.2",
    by_hand=True,
)
