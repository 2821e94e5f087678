"""The webhook outlet: messages as signed HTTP POSTs. One attempt here; when to try again is not decided here.

Redirects are not followed, of an answer 4 kB are kept, and the time for it all is limited, body included.
"""

import asyncio
import hashlib
import ssl
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import lru_cache
from typing import Final

import h11
import msgspec

from lns.config import ConfigError
from lns.delivery.outcome import KEPT_BYTES, Outcome, Outgoing, Verdict
from lns.delivery.schedule import retry_after_s
from lns.outlets import signature
from lns.outlets.http import Client, Head, Headers
from lns.outlets.masking import masked_webhook
from lns.outlets.private_addresses import Guard, Resolve, look_up
from lns.outlets.webhook_settings import WebhookSettings, groups

RESULTS_BYTES = 65_536  # of an answer that tells the result of each item
BODY_S = 2.0  # for the body of an answer whose status says it all
_RETRIED: Final = frozenset({408, 409, 425})
_THROTTLING: Final = frozenset({429, 502, 504})  # Standard Webhooks 1.0.0
_TROUBLE = (OSError, h11.ProtocolError)


class _Rejected(msgspec.Struct, frozen=True):
    i: int
    code: int = 400
    error: str = ""


class _Results(msgspec.Struct, frozen=True):
    accepted: list[int] = []
    rejected: list[_Rejected] = []


class _Answer(msgspec.Struct, frozen=True):
    head: Head
    body: bytes
    whole: bool


class Webhook:
    """`Destination` of one URL. `clock` gives UTC microseconds; `resolve` looks host names up."""

    def __init__(
        self,
        settings: WebhookSettings,
        clock: Callable[[], int] = lambda: time.time_ns() // 1000,
        resolve: Resolve = look_up,
    ) -> None:
        self._settings, self._masked = settings, masked_webhook(settings)
        self._keys = settings.keys()
        self._clock = clock
        self._guard = Guard(settings.allow_private, resolve)
        self._client: Client | None = None

    async def open(self) -> None:
        """ConfigError where `ca_location` cannot be used."""
        self._client = Client(self._guard, trust(self._settings.ca_location))

    async def close(self) -> None:
        if self._client is not None:
            await self._client.close()

    async def deliver(self, messages: Sequence[Outgoing]) -> list[Outcome]:
        """One request a message, or one for all that share an address and headers."""
        if self._settings.body == "single":
            return [await self._one(message) for message in messages]
        outcomes: dict[int, Outcome] = {}
        for address, indexes in groups(self._settings, messages):
            together = [messages[index] for index in indexes]
            outcomes |= zip(indexes, await self._many(address, together), strict=True)
        return [outcomes[index] for index in range(len(messages))]

    async def _one(self, message: Outgoing) -> Outcome:
        address = self._settings.address(message)
        return (await self._post(address, message.id, message, message.body))[0]

    async def _many(self, address: str, messages: Sequence[Outgoing]) -> list[Outcome]:
        ids = "\n".join(message.id for message in messages)
        batch_id = f"batch_{hashlib.sha256(ids.encode()).hexdigest()[:32]}"
        body = b"[" + b",".join(message.body for message in messages) + b"]"
        outcome, answer = await self._post(address, batch_id, messages[0], body)
        if outcome.verdict is not Verdict.DELIVERED or answer is None:
            return [outcome] * len(messages)
        return _item_results(outcome, answer, len(messages))

    async def _post(
        self, address: str, message_id: str, message: Outgoing, body: bytes
    ) -> tuple[Outcome, _Answer | None]:
        now_us = self._clock()
        ours = [
            ("content-type", "application/json"),
            ("user-agent", "inflight"),
            *signature.headers(self._keys, message_id, now_us // 1_000_000, body),
        ]
        request = _shown(self._masked.address(message), ours, self._settings)
        headers = [*ours, *self._settings.header_values(message)]
        try:
            answer = await self._exchange(address, headers, body)
        except TimeoutError:
            error = f"no answer within {self._settings.timeout_s:g} s"
            return Outcome(verdict=Verdict.RETRY, error=error, request=request), None
        except _TROUBLE as trouble:
            error = str(trouble) or type(trouble).__name__
            return Outcome(verdict=Verdict.RETRY, error=error[:500], request=request), None
        return _outcome(answer, request, self._clock()), answer

    async def _exchange(self, address: str, headers: Headers, body: bytes) -> _Answer:
        """Send, and take the answer in as far as its limits reach; TimeoutError before there is a status."""
        if self._client is None:
            raise OSError("the outlet is not open")
        single = self._settings.body == "single"
        most = KEPT_BYTES if single else RESULTS_BYTES
        kept, whole = bytearray(), False
        async with asyncio.timeout(self._settings.timeout_s):
            connection, head = await self._client.post(address, headers, body)
        try:
            with suppress(TimeoutError, *_TROUBLE):  # the status stands
                async with asyncio.timeout(BODY_S if single else self._settings.timeout_s):
                    whole = await connection.read(kept, most)
        finally:
            self._client.keep(address, connection)
        return _Answer(head, bytes(kept[:most]), whole)


@lru_cache(16)
def trust(ca_location: str) -> ssl.SSLContext:
    """Shared by outlets: the system's authorities take milliseconds and megabytes to load."""
    try:
        return ssl.create_default_context(cafile=ca_location or None)
    except (OSError, ssl.SSLError) as error:
        raise ConfigError(f"ca_location {ca_location} cannot be used: {error}") from error


def verdict_of(status: int) -> Verdict:
    """What a status means for the message: 410 ends the outlet, other refusals end the message after a few tries."""
    if 200 <= status < 300:
        return Verdict.DELIVERED
    if status == 410:
        return Verdict.GONE
    if status in _THROTTLING:
        return Verdict.THROTTLED
    if 400 <= status < 500 and status not in _RETRIED:
        return Verdict.REFUSED
    return Verdict.RETRY


def _outcome(answer: _Answer, request: str, now_us: int) -> Outcome:
    verdict = verdict_of(answer.head.status)
    head = "".join(f"{name}: {value}\n" for name, value in answer.head.headers)
    after = next((value for name, value in answer.head.headers if name.lower() == "retry-after"), None)
    error = "" if verdict is Verdict.DELIVERED else f"status {answer.head.status}"
    if 300 <= answer.head.status < 400:
        error += ", redirects are not followed"
    return Outcome(
        verdict=verdict,
        status=answer.head.status,
        error=error,
        retry_after_s=retry_after_s(after, now_us) if after is not None else None,
        request=request,
        response=f"{answer.head.status}\n{head}\n{_text(answer.body)}"[:KEPT_BYTES],
    )


def _item_results(outcome: Outcome, answer: _Answer, count: int) -> list[Outcome]:
    """By item where the answer tells `{"accepted": [0], "rejected": [{"i": 1, "code": 422}]}`; 2xx alone accepts all.

    A 207 answers for the items it names; those it does not name are sent again.
    """
    try:
        results = msgspec.json.decode(answer.body, type=_Results) if answer.whole else None
    except msgspec.MsgspecError:
        results = None
    again = msgspec.structs.replace(outcome, verdict=Verdict.RETRY, error="status 207 without a result for this item")
    if results is None:
        return [again if answer.head.status == 207 else outcome] * count
    outcomes = [again if answer.head.status == 207 else outcome] * count
    for i in results.accepted:
        if 0 <= i < count:
            outcomes[i] = outcome
    for rejected in results.rejected:
        if 0 <= rejected.i < count:
            error = f"item rejected with code {rejected.code} {rejected.error}".rstrip()[:500]
            verdict = _item_verdict(rejected.code)
            outcomes[rejected.i] = msgspec.structs.replace(outcome, verdict=verdict, error=error)
    return outcomes


def _item_verdict(code: int) -> Verdict:
    """An item's code speaks of the item: it neither ends nor slows the outlet."""
    return Verdict.RETRY if verdict_of(code) in (Verdict.RETRY, Verdict.THROTTLED) else Verdict.REFUSED


def _shown(address: str, ours: Sequence[tuple[str, str]], settings: WebhookSettings) -> str:
    """The head of a request for the delivery log; what an operator has put into headers and query may be secret."""
    lines = [f"POST {address}", *(f"{name}: {value}" for name, value in ours)]
    return "\n".join([*lines, *(f"{name}: ***" for name in settings.headers)])[:KEPT_BYTES]


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace").replace("\x00", "\ufffd")
