"""The only part that dials out: to addresses that clients registered, guarded against abuse.

| module | what it does |
|---|---|
| addresses | resolves a name once and checks every address it yields |
| guarded_http | connects to the address that was checked; no redirects, caps |
| kept_connections | HTTP/1.1 connections to receivers, kept open between deliveries |
| channels | how a message reaches a person, and gateways that carry it on |
| mail | the way by e-mail, with SMTP |
| sector_documents | fetches a client's `sector_identifier_uri` |
| client_keys | fetches a client's `jwks_uri` |
| upstream_calls | asks identity providers at which people sign in |
"""
