"""What the network is told when it starts. Every value is given; none has a secret default."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Settings:
    """Where the network runs and where the provider is."""

    base_url: str
    """This network's address as browsers see it, without a slash at the end."""
    issuer: str
    client_id: str
    key_file: Path
    """The private key of private_key_jwt, as keygen wrote it."""
    data_dir: Path

    @property
    def redirect_uri(self) -> str:
        """The one address that the provider sends people back to."""
        return f"{self.base_url}/callback"
