"""The upstreams of one process: what the settings name, with keys read and nothing called yet."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

from idp.settings import PREFIX, SettingsError
from idp.upstreams.configuration import (
    ClientSecret,
    DialectConfiguration,
    OpenIDConfiguration,
    UpstreamConfiguration,
    UpstreamConfigurationError,
    read_upstreams,
)
from idp.upstreams.dialect_upstream import DialectClient, DialectUpstream
from idp.upstreams.exchange import Answer, Fault, Upstream, UpstreamError, Wire
from idp.upstreams.key_files import read_decryption_key, read_secret, read_signing_key
from idp.upstreams.openid_upstream import OpenIDClient, OpenIDUpstream


@dataclass(frozen=True, slots=True)
class OfferedUpstream:
    """An upstream as people may choose it."""

    upstream_id: str
    configuration: UpstreamConfiguration
    upstream: Upstream

    @property
    def address(self) -> str:
        """Where it is: its issuer, or the page to which people are sent."""
        configuration = self.configuration
        if isinstance(configuration, OpenIDConfiguration):
            return configuration.issuer
        return configuration.authorization_endpoint

    @property
    def domain(self) -> str:
        """The host that a careful person compares before typing anything there."""
        return urlsplit(self.address).netloc


class Upstreams:
    """Every upstream that is configured, in the order of the file."""

    def __init__(self, offered: Mapping[str, OfferedUpstream]) -> None:
        self._offered = dict(offered)

    def __iter__(self) -> Iterator[OfferedUpstream]:
        return iter(self._offered.values())

    def find(self, upstream_id: str) -> OfferedUpstream | None:
        """Return the upstream of an id."""
        return self._offered.get(upstream_id)

    def name_of(self, upstream_id: str) -> Mapping[str, str]:
        """Return how people know it, by language; its id where it is configured no more."""
        offered = self.find(upstream_id)
        return {"vi": upstream_id, "en": upstream_id} if offered is None else offered.configuration.name


class _NoWire:
    """For looking at a configuration alone."""

    async def call(
        self, method: str, uri: str, headers: Mapping[str, str], body: str | None = None
    ) -> Answer:
        """Call nobody. Raises UpstreamError."""
        del method, uri, headers, body
        raise UpstreamError(Fault.UNAVAILABLE, "nobody is called")


def configured_upstreams(path: Path | None) -> Upstreams:
    """Return what is configured, to be looked at: nobody can be called. Raises SettingsError."""
    return open_upstreams(path, _NoWire(), lambda: datetime.max.replace(tzinfo=UTC))


def open_upstreams(path: Path | None, wire: Wire, clock: Callable[[], datetime]) -> Upstreams:
    """Open what the file at `path` describes; nobody where there is none. Raises SettingsError."""
    if path is None:
        return Upstreams({})
    try:
        configured = read_upstreams(path.read_bytes())
        return Upstreams(
            {
                upstream_id: OfferedUpstream(
                    upstream_id, configuration, _opened(configuration, path.parent, wire, clock)
                )
                for upstream_id, configuration in configured.items()
            }
        )
    except (OSError, UpstreamConfigurationError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise SettingsError(f"{PREFIX}UPSTREAMS: {reason}") from error


def _opened(
    configuration: UpstreamConfiguration, folder: Path, wire: Wire, clock: Callable[[], datetime]
) -> Upstream:
    if isinstance(configuration, DialectConfiguration):
        authentication = configuration.client_authentication
        secret = read_secret(folder / authentication.secret_file, authentication.method)
        key = read_decryption_key(folder / configuration.userinfo.key_file, configuration.userinfo)
        return DialectUpstream(DialectClient(configuration, secret, key), wire, clock)
    match configuration.client_authentication:
        case ClientSecret(method=method, secret_file=secret_file):
            client = OpenIDClient(configuration, secret=read_secret(folder / secret_file, method))
        case signing:
            client = OpenIDClient(configuration, key=read_signing_key(folder / signing.key_file, signing))
    return OpenIDUpstream(client, wire, clock)
