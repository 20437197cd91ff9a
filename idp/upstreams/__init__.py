"""Sign-in through external e-ID identity providers, each behind the same interface. UPSTREAMS.md tells how.

| module | what it is |
|---|---|
| configuration | what an operator writes about an upstream, read strictly |
| key_files | the keys and secrets that it names |
| directory | the upstreams of one process, opened from the settings |
| exchange | the interface: away to the upstream, back with a person; and every way that can fail |
| openid_upstream | a standard OpenID provider: PKCE, nonce, PAR, `iss`, a verified ID token |
| provider_metadata | what it publishes about itself: metadata and keys, kept for a while |
| front_channel | the answer that a browser brings back. Pure |
| token_answer | the token endpoint's answer |
| id_token | the ID token, judged. Pure |
| dialect_upstream | a provider without ID token, whose userinfo is encrypted |
| encrypted_body | that body, opened |
| messages | the parts of Authlib that build OAuth messages, with types around them |
| mapping | from an upstream's claims to a person, as configured. Pure |
| arrival | whether that is a person of ours: the number and the `sub` go together. Pure |

Whatever an upstream says stays out of logs: a failure is told by a word of ours (`exchange.Fault`) and a
reason that names a rule, never a value.
"""
