from tests.support.shared_provider import anyio_backend, provider

__all__ = ["anyio_backend", "provider"]
