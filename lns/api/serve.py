"""The HTTP server, inside the event loop that everything else runs on."""

import errno
import socket

import uvicorn
from fastapi import FastAPI

from lns.config import ConfigError

STOP_S = 5
"""How long a stop waits for requests that are being answered."""


class ApiServer:
    """A listening server; it needs no task of its own and leaves signals alone."""

    def __init__(self, app: FastAPI, sock: socket.socket, server: uvicorn.Server) -> None:
        self._app, self._socket, self._server = app, sock, server
        self.port: int = sock.getsockname()[1]

    async def stop(self) -> None:
        """Take no more requests, end the event streams, let the others finish."""
        self._app.state.streams.close()
        await self._server.shutdown(sockets=[self._socket])


async def serve(app: FastAPI, host: str, port: int) -> ApiServer:
    """Listen and answer from now on; port 0 picks a free one. ConfigError when the address cannot be had."""
    sock = _bind(host, port)
    # without the Date header uvicorn has nothing to do between requests, so its main loop is not needed
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        lifespan="off",
        date_header=False,
        server_header=False,
        timeout_graceful_shutdown=STOP_S,
    )
    config.load()
    server = uvicorn.Server(config)
    server.lifespan = config.lifespan_class(config)
    await server.startup(sockets=[sock])
    return ApiServer(app, sock, server)


def _bind(host: str, port: int) -> socket.socket:
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except OSError as error:
        raise ConfigError(f"api host {host} is no address of this machine: {error.strerror}") from error
    sock = socket.socket(family, kind, protocol)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.setblocking(False)
    try:
        sock.bind(address)
        sock.listen(128)
    except OSError as error:
        sock.close()
        raise ConfigError(_why_not(host, port, error)) from error
    return sock


def _why_not(host: str, port: int, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"tcp port {port} on {host} is taken by another program"
    if error.errno == errno.EACCES:
        return f"tcp port {port} on {host} needs more rights than this program has"
    return f"cannot listen on tcp port {port} of {host}: {error.strerror}"
