"""The only part that dials out: to addresses that clients registered, guarded against abuse.

| module | what it does |
|---|---|
| guarded_http | resolves once, checks every address, connects to the one checked; no redirects, caps |
| client_keys | fetches a client's `jwks_uri` |
"""
