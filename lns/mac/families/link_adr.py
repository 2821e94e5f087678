"""LinkADRReq: data rate, power, repetitions and channel mask, as one block of commands that holds together."""

from lns.lorawan import chmask
from lns.lorawan.regions.region import Region
from lns.mac.adr import decide
from lns.mac.adr.link import Target
from lns.mac.families import channels
from lns.mac.families.family import Answered, Family, Fields, View, at_least, request
from lns.mac.history import History
from lns.mac.radio import Radio
from lns.mac.session import Session

NAME = "link_adr"
KEEP = 15
"""DataRate and TXPower that leave the present value; LoRaWAN 1.0.4 and 1.1 (earlier devices refuse it)."""
ALL_ON = 6
"""ChMaskCntl of a dynamic plan that switches every defined channel on."""


def observe(session: Session) -> bool:
    """Learn from the data rate a device uses; True when it is not the one it was commanded.

    LoRaWAN 1.0.2 to 1.1, ADR back-off: a device without answers goes to full power, then down one data rate after the
    other, and at the lowest it switches the default channels on and repeats no more.
    """
    radio, history = session.radio, session.history
    if radio is None or history is None or radio.dr is None or radio.dr == history.dr:
        return False
    region = session.device.region
    if history.dr < radio.dr:
        radio.tx_power = 0
        if history.dr == region.uplink_channels[0].min_dr:
            radio.nb_trans = 1
            radio.mask |= region.channel_mask()
    radio.dr = history.dr
    history.changed(radio.tx_power)
    return True


def _wanted(view: View) -> bytes:
    radio, history = view.radio, view.session.history
    # channels come first: a mask without the new ones would switch them off again
    if history is None or channels.missing(view):
        return b""
    now = Target(history.dr if radio.dr is None else radio.dr, radio.tx_power, radio.nb_trans)
    target = decide(radio, history, view.settings.adr, view.region) if history.adr else now
    mask = _wanted_mask(view, history)
    if mask != radio.mask and _refused(view, _steps(view, mask, target.dr), mask):
        mask = radio.mask
    if target == now and mask == radio.mask and not radio.uncertain(NAME):
        return b""
    steps = _steps(view, mask, target.dr)
    if _refused(view, steps, mask):
        steps = ((ALL_ON, 0),)  # whatever channels the device of a dynamic plan has, it can switch them on
        if view.region.plan == "fixed" or _refused(view, steps, mask):
            return b""
    dr, tx_power = (target.dr, target.tx_power) if history.adr else _kept(view, now)
    return b"".join([_request(dr, tx_power, target.nb_trans, step) for step in steps])


def _request(dr: int, tx_power: int, nb_trans: int, step: chmask.Step) -> bytes:
    cntl, bits = step
    return request("LinkADRReq", data_rate=dr, tx_power=tx_power, ch_mask=bits, ch_mask_cntl=cntl, nb_trans=nb_trans)


def _kept(view: View, now: Target) -> tuple[int, int]:
    """DataRate and TXPower for a device that does not set the ADR bit: they are its own affair, the mask is not."""
    radio = view.radio
    refused = radio.refuses(NAME, f"dr:{KEEP}") or radio.refuses(NAME, f"power:{KEEP}")
    if at_least(view.session, "1.0.4") and not refused:
        return KEEP, KEEP
    return now.dr, now.tx_power


def _wanted_mask(view: View, history: History) -> int:
    radio, region, network = view.radio, view.region, view.network
    if region.plan == "fixed":
        return region.channel_mask(network.sub_band)
    if not history.adr:
        return radio.mask
    if not network.extra_channels_hz:
        return _defined(region, radio)
    heard_hz = {channel.freq_hz for channel in region.uplink_channels} | set(network.extra_channels_hz)
    return chmask.mask_of(channel for channel in radio.channels.values() if channel.freq_hz in heard_hz)


def _defined(region: Region, radio: Radio) -> int:
    """Bits of the channels that exist: of a dynamic plan those the device was told of."""
    return chmask.mask_of(radio.channels.values()) if region.plan == "dynamic" else region.channel_mask()


def _steps(view: View, wanted: int, dr: int) -> tuple[chmask.Step, ...]:
    """The mask commands from what the device has to `wanted`."""
    radio, region = view.radio, view.region
    defined = _defined(region, radio)
    # where it may have another mask, every bit is told: that is the way from the opposite
    present = defined & ~wanted if radio.uncertain(NAME) else radio.mask
    if at_least(view.session, "1.0.2"):
        return chmask.sequence(region, present, wanted, defined)
    return chmask.single_steps(region, present, wanted, dr)  # each command is judged by itself


def _refused(view: View, steps: tuple[chmask.Step, ...], mask: int) -> bool:
    return view.radio.refuses(NAME, _mask_value(view.region, steps, mask))


def _mask_value(region: Region, steps: tuple[chmask.Step, ...], mask: int) -> str:
    """What is remembered of a refused mask."""
    if region.plan == "dynamic" and any(cntl == ALL_ON for cntl, _ in steps):
        return "mask:all"
    return f"mask:{mask:x}"


def _settle(done: Answered) -> tuple[str, ...]:
    """LoRaWAN 1.0.0 and 1.0.1 judge each command by itself; from 1.0.2 on a block holds together.

    There are as many equal answers as commands in 1.0.2 to 1.0.4 and one in 1.1; some devices mix that up, so any
    number is taken.
    """
    block = done.requests
    if at_least(done.session, "1.0.2"):
        said = {name: all(answer[name] for answer in done.answers) for name in done.answers[0]}
        return _judge(done, block, said)
    refused: tuple[str, ...] = ()
    for command, answer in zip(block, done.answers, strict=False):
        refused += _judge(done, [command], answer)
    return refused


def _judge(done: Answered, block: list[Fields], said: Fields) -> tuple[str, ...]:
    radio, region, last = done.radio, done.region, block[-1]
    steps = tuple((command["ch_mask_cntl"], command["ch_mask"]) for command in block)
    mask = radio.mask
    for cntl, bits in steps:
        changed = chmask.apply(region, mask, _defined(region, radio), cntl, bits)
        mask = mask if changed is None else changed
    if all(said.values()):
        _take(done, last, mask)
        return ()
    refused = []
    if not said["data_rate_ack"]:
        refused.append(f"dr:{last['data_rate']}")
    if not said["power_ack"]:
        refused.append(f"power:{last['tx_power']}")
    if not said["channel_mask_ack"]:
        refused.append(_mask_value(region, steps, mask))
        # it has not the channels it is believed to have: start again from those everybody has
        radio.forget_channels(region)
    return tuple(refused)


def _take(done: Answered, last: Fields, mask: int) -> None:
    radio, history = done.radio, done.session.history
    before = (radio.dr, radio.tx_power, radio.nb_trans)
    radio.mask = mask
    if last["data_rate"] != KEEP:
        radio.dr = last["data_rate"]
    if last["tx_power"] != KEEP:
        radio.tx_power = last["tx_power"]
    if last["nb_trans"]:
        radio.nb_trans = last["nb_trans"]
    elif not at_least(done.session, "1.1"):
        radio.nb_trans = 1  # NbTrans 0 is the default in 1.0.x, 1.1 keeps the present value
    if history is not None and before != (radio.dr, radio.tx_power, radio.nb_trans):
        history.changed(radio.tx_power)


LINK_ADR = Family(name=NAME, request="LinkADRReq", answer="LinkADRAns", wanted=_wanted, settle=_settle, block=True)
