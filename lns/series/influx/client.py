"""HTTP to one InfluxDB server: points in, statements out. Everything it raises is StoreError."""

import asyncio
import gzip
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import msgspec

from lns.config.masking import ESCAPED, masked
from lns.config.stores import Influx
from lns.errors import StoreError
from lns.series.influx.versions import APIS, Create, Deletes, authorization, fault, refusal, write_params

_GZIP_LEVEL = 1  # line protocol shrinks to a tenth; higher levels cost more than the wire


class Series(msgspec.Struct):
    """One series of an answer, its rows in the order of `columns`; times are UTC microseconds."""

    columns: list[str] = []
    values: list[list[Any]] = []
    tags: dict[str, str] = {}


class _Result(msgspec.Struct):
    series: list[Series] = []
    error: str = ""
    partial: bool = False


class _Answer(msgspec.Struct):
    results: list[_Result] = []
    error: str = ""


_answers = msgspec.json.Decoder(_Answer)


class Client:
    """One server as `settings` name it; `environ` holds the secret. StoreError where these can never work."""

    def __init__(self, settings: Influx, environ: Mapping[str, str]) -> None:
        self.settings = settings
        self._where = f"influxdb at {masked(settings.url)}"
        self.api = APIS[settings.version]
        self._url, self._secret = _url(settings.url), _secret(settings, environ)
        self._http: httpx.AsyncClient | None = None

    async def open(self) -> None:
        """Make connections possible, and the database where the version lets us."""
        headers, url = authorization(self.settings, self._secret), self._url
        self._http = httpx.AsyncClient(
            base_url=url.copy_with(userinfo=b""),  # the driver writes addresses into logs
            timeout=self.settings.timeout_s,
            headers=headers,
            auth=(url.username, url.password) if url.userinfo and not headers else None,
            trust_env=False,  # a store is not behind the proxy of a web browser
        )
        if self.api.create is Create.INFLUXQL:
            await self.query([f'CREATE DATABASE "{self.settings.database}"'])
        elif self.api.create is Create.REQUEST:
            answer = await self._post("/api/v3/configure/database", json={"db": self.settings.database})
            if not answer.is_success and answer.status_code != httpx.codes.CONFLICT:  # it exists
                raise self._refusal(answer)

    def setup_text(self) -> str:
        """The request by which `open` makes the database; harmless where there is one."""
        name = self.settings.database
        if self.api.create is Create.INFLUXQL:
            return f'CREATE DATABASE "{name}"'
        return f'POST /api/v3/configure/database {{"db": "{name}"}}' if self.api.create is Create.REQUEST else ""

    async def close(self) -> None:
        if self._http is not None:
            await self._http.aclose()
            self._http = None

    async def write(self, lines: Sequence[str]) -> dict[int, str]:
        """Store points; returns index to reason of those that the engine refuses. Sending a point again is harmless."""
        refused: dict[int, str] = {}
        size = self.settings.batch_points
        for start in range(0, len(lines), size):
            await self._write_piece(lines, range(start, min(start + size, len(lines))), refused)
        return refused

    async def _write_piece(self, lines: Sequence[str], indexes: Sequence[int], refused: dict[int, str]) -> None:
        piece = [lines[i] for i in indexes]
        body = await asyncio.to_thread(_packed, piece)
        headers = {"Content-Encoding": "gzip", "Content-Type": "text/plain; charset=utf-8"}
        answer = await self._post(
            self.api.write_path, params=write_params(self.settings), content=body, headers=headers
        )
        if answer.is_success:
            return
        found = fault(answer.status_code, answer.content, piece)
        if found is None:
            raise self._refusal(answer)
        refused.update({indexes[place]: reason for place, reason in found.named.items()})
        if found.named:
            rest = [index for place, index in enumerate(indexes) if place not in found.named]
            if rest and not found.rest_stored:
                await self._write_piece(lines, rest, refused)
        elif len(indexes) == 1:
            refused[indexes[0]] = found.text
        else:
            # The answer counts bad points and does not name them. By time, those that are too old lie together.
            ordered = sorted(indexes, key=lambda index: int(lines[index].rpartition(" ")[2]))
            half = len(ordered) // 2
            await self._write_piece(lines, ordered[:half], refused)
            await self._write_piece(lines, ordered[half:], refused)

    async def query(self, statements: Sequence[str]) -> list[list[Series]]:
        """Run InfluxQL statements; the series that each gave."""
        found: list[list[Series]] = []
        size = self.api.statements
        for start in range(0, len(statements), size):
            found += await self._query_some(statements[start : start + size])
        return found

    async def _query_some(self, statements: Sequence[str]) -> list[list[Series]]:
        form = {"db": self.settings.database, "epoch": "u", "q": ";".join(statements)}
        answer = await self._post("/query", data=form)
        if not answer.is_success:
            raise self._refusal(answer)
        try:
            decoded = _answers.decode(answer.content)
        except msgspec.MsgspecError as error:
            raise StoreError(f"{self._where} gave no JSON but: {refusal(answer.content)[0]}") from error
        errors = [decoded.error, *(result.error for result in decoded.results)]
        if any(errors):
            raise StoreError(f"{self._where} refused a query: {next(filter(None, errors))}")
        if len(decoded.results) != len(statements) or any(result.partial for result in decoded.results):
            raise StoreError(f"{self._where} cut its answer: raise max-row-limit in its configuration")
        return [result.series for result in decoded.results]

    async def delete(self, measurement: str, from_us: int, to_us: int, tags: Mapping[str, str]) -> None:
        """Delete the points in [from_us, to_us) that carry all `tags`; must not be called where `api` only hides."""
        if self.api.deletes is Deletes.INFLUXQL:
            narrowed = "".join(f' AND "{name}" = {literal(value)}' for name, value in tags.items())
            where = f"time >= {from_us}000 AND time < {to_us}000{narrowed}"
            await self.query([f'DELETE FROM "{measurement}" WHERE {where}'])
            return
        quoted = "".join(f' AND {name}="{_predicate_text(value)}"' for name, value in tags.items())
        body = {
            "start": _rfc3339(from_us, 0),
            # The documentation leaves open whether the end belongs to the range: no point lies at this one.
            "stop": _rfc3339(to_us - 1, 999),
            "predicate": f'_measurement="{measurement}"{quoted}',
        }
        params = {"org": self.settings.org, "bucket": self.settings.database}
        answer = await self._post("/api/v2/delete", params=params, json=body)
        if not answer.is_success:
            raise self._refusal(answer)

    async def _post(self, path: str, **request: Any) -> httpx.Response:
        if self._http is None:
            raise StoreError("the time-series store is not open")
        try:
            return await self._http.post(path, **request)
        except httpx.TimeoutException as error:
            limit_s = self.settings.timeout_s
            raise StoreError(f"{self._where} did not answer in {limit_s:g} s") from error
        except httpx.HTTPError as error:
            raise StoreError(f"cannot reach {self._where}: {error}") from error

    def _refusal(self, answer: httpx.Response) -> StoreError:
        text, _ = refusal(answer.content)
        return StoreError(f"{self._where} answered {answer.status_code}: {text}")


def _packed(lines: Sequence[str]) -> bytes:
    return gzip.compress("\n".join(lines).encode(), _GZIP_LEVEL)


def literal(text: str) -> str:
    """A string in a statement."""
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def _predicate_text(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')


def _rfc3339(time_us: int, more_ns: int) -> str:
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=time_us)
    return f"{moment:%Y-%m-%dT%H:%M:%S.%f}{more_ns:03d}Z"


def _url(text: str) -> httpx.URL:
    try:
        url = httpx.URL(text)
    except httpx.InvalidURL:  # whose text may show a piece of the password
        raise StoreError(f"influxdb.url is {masked(text)!r}: no URL, {ESCAPED}") from None
    if url.scheme not in ("http", "https") or not url.host:
        raise StoreError(f"influxdb.url is {masked(text)!r}: it must begin with http:// or https:// and a host")
    return url


def _secret(settings: Influx, environ: Mapping[str, str]) -> str:
    name = settings.secret_env
    if name and not environ.get(name):
        raise StoreError(f"influxdb.secret_env names the environment variable {name}, which is not set")
    return environ.get(name, "")
