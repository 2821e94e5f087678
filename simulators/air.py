"""Downlinks on the air: finds the device whose receive window they meet, and counts what is wrong with them."""

from array import array
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Sequence

from lns.lorawan.gpstime import gps_from_unix
from lns.lorawan.modulation import Lora
from lns.lorawan.phy import MType
from simulators.device import OUTSIDE, Device, Received
from simulators.gateway_udp import Sent
from simulators.ledger import Ledger, Transmission
from simulators.radio import Uniform
from simulators.session import Fault


class Air:
    """Delivers what gateways send. `counts` says how it went; `urgent` are devices that should send again soon.

    A downlink meets a window if it starts exactly a receive delay after the end of one of the device's transmissions,
    in a ping slot of class B, or at any time in class C.
    """

    def __init__(self, devices: Sequence[Device], ledger: Ledger, loss: float, uniform: Uniform) -> None:
        self.counts: Counter[str] = Counter()
        self.urgent: deque[Device] = deque()
        self.time_error_s = 0.0  # largest difference of a DeviceTimeAns to the end of its uplink
        self.on_activated: Callable[[Device], None] = lambda device: None
        self.pull_resp_s = array("f")  # from the end of an uplink to the PULL_RESP that answers it
        self._devices = devices
        self._ledger = ledger
        self._loss, self._uniform = loss, uniform
        self._by_addr: defaultdict[str, list[Device]] = defaultdict(list)

    def activated(self, device: Device) -> None:
        """A device has a new session."""
        if device.session is not None and device not in self._by_addr[device.session.dev_addr]:
            self._by_addr[device.session.dev_addr].append(device)
        self.on_activated(device)

    def transmit(self, sent: Sent) -> None:
        """A gateway starts a transmission."""
        self.counts["sent"] += 1
        phy = sent.txpk.phy_payload
        if phy[0] >> 5 == MType.JOIN_ACCEPT:
            self._join_accept(sent)
            return
        candidates = self._by_addr.get(phy[4:0:-1].hex(), ())
        if not candidates:
            self.counts["foreign"] += 1
        elif not any(self._data(sent, device) for device in candidates):
            self.counts["mic_bad"] += 1

    def _join_accept(self, sent: Sent) -> None:
        first_us = self._devices[0].window_s(join=True) * 1_000_000
        for window, delay_us in ((1, first_us), (2, first_us + 1_000_000)):
            asked = self._ledger.transmission(sent.due_us - delay_us)
            if asked is None or asked.uplink is not None:
                continue
            device = self._devices[asked.device]
            if self._hears(sent, device, window, asked):
                self._join(device, sent, window)
            return
        self.counts["outside_window"] += 1

    def _join(self, device: Device, sent: Sent, window: int) -> None:
        accept = device.accept(sent.txpk.phy_payload)
        if isinstance(accept, Fault):
            self.counts["mic_bad" if accept is Fault.MIC else accept.value] += 1
            return
        self.counts[f"rx{window}"] += 1
        self.counts["received"] += 1
        self.counts["joined"] += 1
        self.activated(device)
        self._ledger.joins.append(
            {
                "kind": "join",
                "dev_eui": device.identity.dev_eui,
                "dev_nonce": device.dev_nonce,
                "join_nonce": accept.join_nonce,
                "dev_addr": accept.dev_addr,
                "at_us": sent.due_us,
            }
        )

    def _data(self, sent: Sent, device: Device) -> bool:
        """True if the downlink is for this device, whatever becomes of it."""
        phy = sent.txpk.phy_payload
        asked, window = self._window(device, sent.due_us)
        if asked is None:
            return self._unasked(sent, device)
        if self._hears(sent, device, window, asked):
            received = device.receive(phy, window)
            if isinstance(received, Received):
                self._received(device, received, sent, window)
                self._answered(device, received, asked, window, sent)
                return True
            fault: Fault | None = received
        else:
            fault = device.miss(phy)
        return self._counted(fault)

    def _unasked(self, sent: Sent, device: Device) -> bool:
        """A downlink that meets no receive window of class A."""
        phy, txpk = sent.txpk.phy_payload, sent.txpk
        windows = {"ping": device.ping_slot(sent.due_us), "class_c": device.classes.continuous()}
        met = [name for name, listens in windows.items() if listens == (txpk.freq_hz, txpk.modulation)]
        lost = bool(met) and self._is_lost()
        if met and not lost:
            received = device.receive(phy, OUTSIDE)
            if isinstance(received, Received):
                self.counts[met[0]] += 1
                self._received(device, received, sent, met[0])
                return True
            return self._counted(received)
        fault = device.miss(phy)
        if not met and fault is not Fault.MIC:
            self.counts["outside_window"] += 1
        return self._counted(fault)

    def _counted(self, fault: Fault | None) -> bool:
        if fault is not None and fault is not Fault.MIC:
            self.counts[fault.value] += 1
        return fault is not Fault.MIC

    def _window(self, device: Device, due_us: int) -> tuple[Transmission | None, int]:
        first_us = due_us - device.window_s(join=False) * 1_000_000
        for window, end_us in ((1, first_us), (2, first_us - 1_000_000)):
            asked = self._ledger.transmission(end_us)
            if asked is not None and asked.device == device.number and asked.uplink is not None:
                return asked, window
        return None, 0

    def _hears(self, sent: Sent, device: Device, window: int, asked: Transmission) -> bool:
        txpk = sent.txpk
        listens = device.listens(window, asked.uplink is None, asked.channel, asked.dr)
        if (txpk.freq_hz, txpk.modulation) != listens or (isinstance(txpk.modulation, Lora) != txpk.invert_polarity):
            self.counts["wrong_parameters"] += 1
            return False
        return not self._is_lost()

    def _is_lost(self) -> bool:
        if self._loss and self._uniform() < self._loss:
            self.counts["lost"] += 1
            return True
        return False

    def _answered(self, device: Device, received: Received, asked: Transmission, window: int, sent: Sent) -> None:
        """A downlink came in the receive window `window` of the uplink `asked`."""
        counts = self.counts
        counts[f"rx{window}"] += 1
        self.pull_resp_s.append((sent.arrived_us - asked.end_us) / 1e6)
        uplink = asked.uplink or 0
        confirmed = self._ledger.is_confirmed(uplink)
        if received.ack or not confirmed:
            self._ledger.answer(uplink)
        if received.ack and not confirmed:
            counts["unasked_ack"] += 1
        if "LinkCheckAns" in received.commands:
            counts["link_check_answers"] += 1
        if "DeviceTimeAns" in received.commands and device.mac.gps_time_s is not None:
            counts["device_time_answers"] += 1
            error_s = abs(device.mac.gps_time_s - gps_from_unix(asked.end_us / 1e6))
            self.time_error_s = max(self.time_error_s, error_s)

    def _received(self, device: Device, received: Received, sent: Sent, window: int | str) -> None:
        self.counts["received"] += 1
        if received.confirmed or received.fpending:
            self.urgent.append(device)
        self._ledger.downlinks.append(
            {
                "kind": "downlink",
                "dev_eui": device.identity.dev_eui,
                "dev_addr": sent.txpk.phy_payload[4:0:-1].hex(),
                "fcnt": received.fcnt,
                "window": window,
                "at_us": sent.due_us,
                "ack": received.ack,
                "confirmed": received.confirmed,
                "fpending": received.fpending,
                "fport": received.fport,
                "payload": received.payload.hex(),
                "commands": list(received.commands),
            }
        )
