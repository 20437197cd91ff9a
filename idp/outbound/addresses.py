"""Which address a name may be called at. Abuse class 13 (server-side request forgery).

A name is resolved once and every address it yields is checked; what is checked is what is connected to.
"""

import asyncio
import ipaddress
import socket
from concurrent.futures import ThreadPoolExecutor

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

RESOLVER_THREADS = 32
"""A resolver blocks its thread for as long as a name server is silent, whoever has stopped waiting for it."""

_TRANSLATED = ipaddress.ip_network("64:ff9b::/96")
"""RFC 6052 §2.1: an IPv4 address behind a translator, which may lead to an inner network."""


class OutboundRefusedError(Exception):
    """The address may not be called, or did not answer as it must."""


def is_public(address: Address) -> bool:
    """Tell whether an address is one of the public Internet, also where an IPv4 address hides in it."""
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour
        if inner is None and address in _TRANSLATED:
            inner = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        if inner is not None:
            return is_public(inner)
        if address.teredo is not None:
            return False
    return address.is_global and not address.is_multicast


class CheckedAddresses:
    """Resolves names in threads of its own; several calls of one name at once share one look-up."""

    def __init__(self, *, allow_loopback: bool) -> None:
        self._allow_loopback = allow_loopback
        self._threads = ThreadPoolExecutor(RESOLVER_THREADS, thread_name_prefix="resolver")
        self._under_way: dict[tuple[str, int], asyncio.Future[list[Address]]] = {}

    async def find(self, host: str, port: int) -> list[str]:
        """Return the addresses to connect to, the best first; never none.

        Raises OutboundRefusedError unless every address is public.
        """
        try:
            found = await self._resolve(host, port)
        except (OSError, UnicodeError) as error:  # UnicodeError: what cannot be a host name at all
            raise OutboundRefusedError(f"the host {host} has no address") from error
        for address in found:
            if not (is_public(address) or (self._allow_loopback and address.is_loopback)):
                raise OutboundRefusedError(f"the host {host} has an address that is not public")
        if not found:
            raise OutboundRefusedError(f"the host {host} has no address")
        return list(map(str, dict.fromkeys(found)))

    async def _resolve(self, host: str, port: int) -> list[Address]:
        """Resolve a name. A silent name server costs one thread for each name, however many calls wait."""
        key = (host, port)
        future = self._under_way.get(key)
        if future is None:
            loop = asyncio.get_running_loop()
            future = loop.run_in_executor(self._threads, _look_up, host, port)
            self._under_way[key] = future
            future.add_done_callback(lambda done: self._forget(key, done))
        # Shielded: a caller who gives up must not take the answer from the others.
        return await asyncio.shield(future)

    def _forget(self, key: tuple[str, int], done: "asyncio.Future[list[Address]]") -> None:
        del self._under_way[key]
        if not done.cancelled():
            done.exception()  # looked at here, for perhaps nobody waits any more

    def close(self) -> None:
        """Let no further look-up begin."""
        self._threads.shutdown(wait=False, cancel_futures=True)


def _look_up(host: str, port: int) -> list[Address]:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [ipaddress.ip_address(entry[4][0]) for entry in found]
