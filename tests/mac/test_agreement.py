"""Device and network agree on windows, channels, data rate and power at any loss of uplinks and downlinks."""

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from lns.lorawan.chmask import LinkADR, judge
from lns.lorawan.commands import encode_command, parse_commands
from lns.lorawan.regions.region import Channel, Region
from lns.mac import dialogue
from lns.mac.families.link_adr import KEEP
from lns.mac.radio import Radio
from lns.mac.settings import AdrSettings, MacSettings, RegionSettings
from tests.mac.talk import Talk

STICKY = {"RXParamSetupAns", "RXTimingSetupAns"}
EXTRA_HZ = (867_100_000, 867_300_000, 867_500_000)


class Device:
    """The device's half of the chapter MAC commands, as far as these requests go (LoRaWAN 1.0.x)."""

    def __init__(self, region: Region, version: str) -> None:
        self.region = region
        self.version = version
        self.channels = {channel.index: channel for channel in region.uplink_channels}
        self.mask = region.channel_mask()
        self.dr, self.tx_power, self.nb_trans = 0, 0, 1
        self.windows = (1, 0, region.rx2_dr, region.rx2_freq_hz)
        self.answers: list[tuple[str, bytes]] = []

    def uplink(self) -> str:
        """Its answers, in hex; those that are not repeated are said once, heard or not."""
        said = b"".join(octets for _, octets in self.answers)
        self.answers = [(name, octets) for name, octets in self.answers if name in STICKY]
        return said.hex()

    def downlink(self, octets: bytes) -> None:
        self.answers.clear()
        commands, _ = parse_commands(octets, uplink=False)
        block = [command.fields for command in commands if command.name == "LinkADRReq"]
        for command in commands:
            fields = command.fields
            if command.name == "RXTimingSetupReq":
                self.windows = (fields["delay"], *self.windows[1:])
                self._answer("RXTimingSetupAns")
            elif command.name == "RXParamSetupReq":
                offset_ok = fields["rx1_dr_offset"] <= 5
                if offset_ok:
                    rx2 = fields["rx2_data_rate"], fields["frequency_hz"]
                    self.windows = (self.windows[0], fields["rx1_dr_offset"], *rx2)
                self._answer("RXParamSetupAns", channel_ack=True, rx2_data_rate_ack=True, rx1_dr_offset_ack=offset_ok)
            elif command.name == "NewChannelReq":
                index, freq_hz = fields["ch_index"], fields["frequency_hz"]
                self.channels[index] = Channel(index, freq_hz, fields["min_dr"], fields["max_dr"])
                self.mask |= 1 << index
                self._answer("NewChannelAns", channel_frequency_ok=True, data_rate_range_ok=True)
        # LoRaWAN 1.0.0 and 1.0.1: each command by itself
        for part in [[fields] for fields in block] if self.version == "1.0.1" else [block] if block else []:
            self._link_adr(part)

    def _link_adr(self, block: list[dict[str, int]]) -> None:
        last = block[-1]
        steps = tuple((fields["ch_mask_cntl"], fields["ch_mask"]) for fields in block)
        dr = self.dr if last["data_rate"] == KEEP else last["data_rate"]
        tx_power = self.tx_power if last["tx_power"] == KEEP else last["tx_power"]
        verdict = judge(self.region, self.channels, self.mask, LinkADR(steps, dr, tx_power))
        if verdict.accepted:
            self.mask, self.dr, self.tx_power = verdict.mask, dr, tx_power
            self.nb_trans = last["nb_trans"] or 1
        for _ in block:
            self._answer(
                "LinkADRAns",
                channel_mask_ack=verdict.channel_mask_ack,
                data_rate_ack=verdict.data_rate_ack,
                power_ack=verdict.power_ack,
            )

    def _answer(self, name: str, **fields: bool) -> None:
        self.answers.append((name, encode_command(name, uplink=True, **fields)))


def step(talk: Talk, device: Device, uplink_heard: bool, downlink_heard: bool) -> None:
    said = device.uplink()
    if not uplink_heard:
        talk.session.fcnt_up += 1
        return
    taken = talk.up(said, dr=device.dr, adr=True)
    session = talk.session
    windows = (session.rx1_delay_s, session.rx1_dr_offset, session.rx2_dr, session.rx2_freq_hz)
    assert windows == device.windows  # else no downlink would be heard any more
    requests = dialogue.due(session, talk.network, talk.now_s * 1_000_000) if dialogue.needs(session) else []
    if not requests and not taken.wants:
        return
    dialogue.sent(session, requests, session.fcnt_down)
    session.fcnt_down += 1
    if downlink_heard:
        device.downlink(b"".join(request.octets for request in requests))


WISHES = st.builds(
    MacSettings,
    adr=st.builds(
        AdrSettings,
        algorithm=st.just("static"),
        static_dr=st.integers(0, 5),
        static_tx_power=st.integers(0, 9),  # 8 and 9 are refused
        static_nb_trans=st.integers(1, 3),
    ),
    rx1_delay_s=st.integers(1, 15),
    rx1_dr_offset=st.integers(0, 7),  # 6 and 7 are refused
    rx2_dr=st.integers(0, 5),
    dev_status_interval_s=st.just(0),
)
STEPS = st.lists(st.tuples(st.booleans(), st.booleans(), st.none() | WISHES), max_size=40)


@settings(max_examples=150, deadline=None)
@given(STEPS, WISHES, st.sampled_from(["1.0.2", "1.0.3", "1.0.4"]), st.integers(0, 3))
def test_device_and_network_agree_at_any_loss(
    steps: list[tuple[bool, bool, MacSettings | None]], last: MacSettings, version: str, extra: int
) -> None:
    talk = Talk(version, network=RegionSettings(extra_channels_hz=EXTRA_HZ[:extra]))
    owner = talk.session.device
    device = Device(owner.region, version)
    for uplink_heard, downlink_heard, wishes in [*steps, *[(True, True, last)] * 100]:
        if wishes is not None and wishes != owner.settings:
            owner.settings = wishes
            dialogue.again(talk.session)
        step(talk, device, uplink_heard, downlink_heard)
    radio: Radio = talk.radio
    assert (radio.mask, radio.channels) == (device.mask, device.channels)
    if radio.dr is not None:
        assert (radio.dr, radio.tx_power, radio.nb_trans) == (device.dr, device.tx_power, device.nb_trans)
    assert sorted(device.channels) == list(range(3 + extra))
    assert device.windows[0] == last.rx1_delay_s
    assert device.dr == last.adr.static_dr
    assert msgspec.structs.astuple(last.adr)[-1] == device.nb_trans


SUB_BANDS = st.lists(st.tuples(st.booleans(), st.booleans(), st.integers(0, 8)), max_size=40)


@settings(max_examples=150, deadline=None)
@given(SUB_BANDS, st.integers(0, 8), st.sampled_from(["1.0.1", "1.0.3", "1.0.4"]), st.sampled_from(["US915", "AU915"]))
def test_channel_masks_agree_at_any_loss(
    steps: list[tuple[bool, bool, int]], last: int, version: str, region_name: str
) -> None:
    talk = Talk(version, region_name)
    device = Device(talk.session.device.region, version)
    device.dr = 2
    for uplink_heard, downlink_heard, sub_band in [*steps, *[(True, True, last)] * 100]:
        if sub_band != talk.network.sub_band:
            talk.network = RegionSettings(sub_band=sub_band)
            dialogue.again(talk.session)
        step(talk, device, uplink_heard, downlink_heard)
    assert talk.radio.mask == device.mask == talk.session.device.region.channel_mask(last)
