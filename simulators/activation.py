"""Joins and rejoins of one device: its nonces, and what it makes of a join-accept. Pure: DevNonces are given."""

import msgspec

from lns.lorawan.crypto import decrypt_join_accept, join_request_mic, session_keys_1_0
from lns.lorawan.errors import FrameError
from lns.lorawan.joining import (
    JOIN,
    JoinContext,
    SessionKeys,
    decrypt_join_accept_any,
    js_int_key,
    rejoin_mic,
    session_keys,
)
from lns.lorawan.phy import JoinAccept, build_join_request, build_rejoin
from simulators.identity import Identity
from simulators.session import Fault, Session
from simulators.session11 import Session11
from simulators.versions import Version


class Granted(msgspec.Struct, frozen=True):
    """A new session; `keeps_radio` after a rejoin of type 2, which changes keys and DevAddr alone."""

    accept: JoinAccept
    session: Session | Session11
    keeps_radio: bool


class Activation:
    """`dev_nonce` is the last one used (-1: none); RJcount0 starts anew with every session, RJcount1 never."""

    def __init__(self, identity: Identity, version: Version, before_erratum: bool = False) -> None:
        self.dev_nonce = -1
        self.rj_count0 = 0
        self.rj_count1 = 0
        self._identity, self._version, self._before_erratum = identity, version, before_erratum
        self._join_nonce = -1
        self.net_id = "000000"
        self._context = JoinContext(JOIN, identity.join_eui, 0)

    def join_request(self, dev_nonce: int) -> bytes:
        """The PHYPayload of a join-request; its MIC is under NwkKey from LoRaWAN 1.1 on, under AppKey before."""
        who = self._identity
        self.dev_nonce = dev_nonce
        self._context = JoinContext(JOIN, who.join_eui, dev_nonce)
        message = build_join_request(who.join_eui, who.dev_eui, dev_nonce)
        return message + join_request_mic(who.nwk_key if self._version.minor else who.app_key, message)

    def rejoin_request(self, rejoin_type: int, session: Session11) -> bytes:
        """The PHYPayload of a rejoin-request of type 0, 1 or 2 in a 1.1 session."""
        who = self._identity
        if rejoin_type == 1:
            count, origin, key = self.rj_count1, who.join_eui, js_int_key(who.nwk_key, who.dev_eui)
            self.rj_count1 += 1
        else:
            count, origin, key = self.rj_count0, self.net_id, session.keys.s_nwk_s_int_key
            self.rj_count0 += 1
        self._context = JoinContext(rejoin_type, who.join_eui, count)
        message = build_rejoin(rejoin_type, origin, who.dev_eui, count)
        return message + rejoin_mic(key, message)

    def accept(self, phy: bytes) -> Granted | Fault:
        """Take the join-accept that answers the last join- or rejoin-request."""
        try:
            accept = self._read(phy)
        except FrameError as error:
            return Fault.MIC if error.reason == "mic" else Fault.MALFORMED
        # 1.1 counts JoinNonces; before, they only differ, and LoRaMac-node compares with the last one
        if accept.join_nonce == self._join_nonce or (accept.opt_neg and accept.join_nonce < self._join_nonce):
            return Fault.REPEATED
        self._join_nonce, self.net_id = accept.join_nonce, accept.net_id
        self.rj_count0 = 0
        return Granted(accept, self._session(accept), self._context.join_req_type == 2)

    def _read(self, phy: bytes) -> JoinAccept:
        who = self._identity
        if self._version.minor:
            return decrypt_join_accept_any(phy, self._context, who.nwk_key, who.dev_eui)
        return decrypt_join_accept(who.app_key, phy)

    def _session(self, accept: JoinAccept) -> Session | Session11:
        who, nonce = self._identity, self._context.dev_nonce
        if self._version.minor and accept.opt_neg:
            keys = session_keys(
                accept.join_nonce, accept.net_id, who.join_eui, nonce, who.app_key, who.nwk_key, opt_neg=True
            )
            return Session11(accept.dev_addr, keys, self._before_erratum)
        # a 1.1 device on a 1.0 network derives all from NwkKey
        root = who.nwk_key if self._version.minor else who.app_key
        return Session(accept.dev_addr, *session_keys_1_0(root, accept.join_nonce, accept.net_id, nonce))

    def personalised(self) -> Session | Session11:
        """The session that an ABP device has from its factory."""
        who = self._identity
        if self._version.minor:
            keys = SessionKeys(who.f_nwk_s_int_key, who.s_nwk_s_int_key, who.nwk_s_enc_key, who.app_s_key)
            return Session11(who.dev_addr, keys, self._before_erratum)
        return Session(who.dev_addr, who.nwk_s_key, who.app_s_key)
