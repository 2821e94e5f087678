"""The server as commands see it: the REST API over HTTP, every failure a sentence with its exit code."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self
from urllib.parse import quote

import httpx

from lns.cli.outcome import CommandError, Exit

DEFAULT_URL = "http://127.0.0.1:8080"
_CODES = {401: Exit.NOT_ALLOWED, 403: Exit.NOT_ALLOWED, 404: Exit.NOT_FOUND}


def path(*parts: str) -> str:
    """An API path from its parts, each of them quoted."""
    return "/api/v1/" + "/".join(quote(part, safe="") for part in parts)


def _base(url: str) -> str:
    """The server's address without a slash at its end."""
    try:
        parsed = httpx.URL(url)
    except httpx.InvalidURL as error:
        raise CommandError(f"--url or LNS_URL is {url!r}, no address: {str(error).lower()}", Exit.USAGE) from None
    if parsed.scheme not in ("http", "https") or not parsed.host:
        text = f"--url or LNS_URL is {url!r}, it must begin with http:// or https:// and a host, such as {DEFAULT_URL}"
        raise CommandError(text, Exit.USAGE)
    return url.rstrip("/")


class Connection:
    """A session with one server. The key is the one given, else the one the server left in its data folder."""

    def __init__(self, url: str, key: str | None, data_dir: Path) -> None:
        self.url = _base(url)
        self._key_file = data_dir / "admin.key"
        secret = key or self._stored_key()
        headers = {"Authorization": f"Bearer {secret}"} if secret else {}
        self._has_key = bool(secret)
        self._http = httpx.Client(base_url=self.url, headers=headers, timeout=60.0)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def get(self, where: str, **params: str | int | None) -> Any:
        return self._call("GET", where, params=params)

    def post(self, where: str, body: Any = None, **params: str | int | None) -> Any:
        return self._call("POST", where, body=body, params=params)

    def post_csv(self, where: str, text: str, **params: str | int | None) -> Any:
        return self._call("POST", where, text=text, params=params)

    def put(self, where: str, body: Any) -> Any:
        return self._call("PUT", where, body=body)

    def patch(self, where: str, body: Any) -> Any:
        return self._call("PATCH", where, body=body)

    def delete(self, where: str) -> Any:
        return self._call("DELETE", where)

    def pages(self, where: str, limit: int | None = None, **params: str | int | None) -> Iterator[dict[str, Any]]:
        """Items of a list, page after page, at most `limit` of them."""
        after: str | None = None
        left = limit
        while left is None or left > 0:
            page = self.get(where, after=after, limit=None if left is None else min(left, 1000), **params)
            items = page["items"] if left is None else page["items"][:left]
            yield from items
            after = page["next"]
            if after is None:
                return
            left = None if left is None else left - len(items)

    def events(self) -> Iterator[dict[str, Any]]:
        """Live events for as long as the server sends them."""
        try:
            with self._http.stream("GET", path("events", "stream"), timeout=httpx.Timeout(10.0, read=None)) as answer:
                if answer.is_error:
                    answer.read()
                    raise self._problem(answer)
                for line in answer.iter_lines():
                    if line.startswith("data:"):
                        yield json.loads(line[5:])
        except httpx.TransportError as error:
            raise self._unreachable(error) from error

    def _call(
        self,
        method: str,
        where: str,
        *,
        params: dict[str, str | int | None] | None = None,
        body: Any = None,
        text: str | None = None,
    ) -> Any:
        sent = {name: value for name, value in (params or {}).items() if value is not None}
        try:
            if text is not None:
                headers = {"Content-Type": "text/csv"}
                answer = self._http.request(method, where, params=sent, content=text.encode(), headers=headers)
            else:
                answer = self._http.request(method, where, params=sent, json=body)
        except httpx.TransportError as error:
            raise self._unreachable(error) from error
        if answer.is_error:
            raise self._problem(answer)
        return answer.json() if answer.content else None

    def _stored_key(self) -> str | None:
        try:
            return self._key_file.read_text("ascii").strip()
        except (OSError, UnicodeDecodeError):
            return None

    def _unreachable(self, error: httpx.TransportError) -> CommandError:
        why = re.sub(r"^\[Errno -?\d+\] ", "", str(error)).lower() or type(error).__name__
        return CommandError(
            f"no server answers at {self.url} ({why}): start one with `lns serve`, or name it with --url",
            Exit.UNREACHABLE,
        )

    def _problem(self, answer: httpx.Response) -> CommandError:
        if answer.status_code == 401 and not self._has_key:
            text = "the server wants an API key: give --key or LNS_API_KEY, or --data with the folder of its admin.key"
            return CommandError(text, Exit.NOT_ALLOWED)
        try:
            text = answer.json()["error"]["message"]
        except (ValueError, KeyError, TypeError):
            text = f"{self.url} answered {answer.status_code} {answer.reason_phrase}"
        return CommandError(text, _CODES.get(answer.status_code, Exit.REFUSED))
