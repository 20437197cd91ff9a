"""Uvicorn's connection, which also tells the application who is at its other end.

Uvicorn neither knows the ASGI TLS extension nor tells, once it has believed a proxy's headers, whom it is
connected to. Both are facts about the connection, told with every request on it.
"""

import ssl

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from idp.web.client_certificate import PEER, TLS

Extensions = dict[str, dict[object, object]]


class Connection(HttpToolsProtocol):
    """One connection to a client or to a proxy."""

    extensions: Extensions | None = None

    def on_message_begin(self) -> None:
        """Tell who it is with the request that begins; it was looked at once, after the handshake."""
        super().on_message_begin()
        if self.extensions is None:
            self.extensions = self._described()
        self.scope["extensions"] = self.extensions

    def _described(self) -> Extensions:
        """ASGI TLS extension 0.2; of the client's chain Python knows the first certificate only."""
        described: Extensions = {}
        if self.client is not None:
            described[PEER] = {"address": self.client[0]}
        tls: ssl.SSLObject | None = self.transport.get_extra_info("ssl_object")
        if tls is not None:
            certificate = tls.getpeercert(binary_form=True)
            chain = () if certificate is None else (ssl.DER_cert_to_PEM_cert(certificate),)
            described[TLS] = {"client_cert_chain": chain}
        return described
