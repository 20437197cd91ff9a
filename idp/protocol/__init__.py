"""The rules of the wire. Values in; a value or a registered error out. No clock, no randomness, no framework.

| module | specification |
|---|---|
| parameters | RFC 6749 §3.1, §3.2, Appendix B: strict reading |
| strict_json | RFC 8259, RFC 7493: JSON inside parameters |
| web_uris | RFC 3986 and the WHATWG URL Standard, where they agree |
| errors | the registered error codes: RFC 6749, 6750, 9126, 9396, OpenID Connect Core §3.1.2.6 |
| problems | RFC 9457: problems of the platform API |
| idempotency | draft-ietf-httpapi-idempotency-key-header: what is sent twice happens once |
| result_pages | pages and cursors of the platform API |
| profiles | named bundles of rules: OpenID Connect, FAPI 2.0, CIBA, Identity Assurance |
| confirmation | RFC 7800: the key a token is bound to |
| model | the nouns, as frozen values |
| authorization_request | Core §3.1.2, RFC 6749 §4.1.1, RFC 9126 §2.1: the checks and their order |
| request_object | RFC 9101, Core §6.1, FAPI 2.0 Message Signing §5.3: requests that their client signed |
| response_modes | Multiple Response Types §2.1, Form Post, JARM §2.3 |
| requested_acr | OpenID Connect Core §5.5.1.1: levels that are wished for, essential, told |
| redirect_uris | RFC 9700 §2.1, RFC 8252 §7: exact comparison |
| pkce | RFC 7636 |
| decoupled_request | CIBA Core 1.0, RFC 8628: a request that is answered on another device |
| ciba_request | CIBA Core 1.0 §7.1, FAPI: CIBA §5.2.2: what a client may ask, signed |
| login_hint | CIBA Core 1.0 §7.1, RFC 9493: whom it is for |
| device_request | RFC 8628 §3.1, §6.1: the device's request and its user code |
| claims_parameter | OpenID Connect Core §5.5 |
| requested_claim | Core §5.5.1, Identity Assurance §5.5: one requested claim or element |
| verified_claims_request | Identity Assurance §5.3 to §5.6: how verified claims are asked for |
| account_link_resource | an account link as its platform may see it |
| feature_policy_document | the feature policy as TOML and JSON, read strictly |
| platform_api | OpenAPI 3.1: the platform API described |
| platform_api_schemas | what the platform API takes and gives, as JSON Schema |
| account_link_requests | what a platform may ask to be done to a link of its own |
| link_receipt | `account-link+jwt`: what a platform keeps of a link, and checks for years |
| status_list | Token Status List: what became of thousands of links, in one signed array |
| status_indexes | which indexes of a list are given away, drawn at random |
| historical_keys | OpenID Federation §8.7: keys that signed once |
| feature_policy_schema | the same, as JSON Schema |
| feature_demand | RFC 9470 §4: what the feature policy adds to a request for a feature |
| account_link_details | RFC 9396: authorization details of type `account_link` |
| journey | OpenID Connect Core §3.1.2.3, RFC 9470: which page comes next |
| guardian_step | where a guardian stands in a minor's journey |
| claims | OpenID Connect Core §5, Identity Assurance §5.7: what was agreed to, and nothing else |
| claim_values | Core §5.1, §5.5.1: the value of each claim, and whether it is the one wanted |
| verified_claims | Identity Assurance §5, Schema Definition §5: the `verified_claims` element |
| authorization_response | RFC 6749 §4.1.2, RFC 9207, JARM |
| approval | whether a client that registered itself may serve real people |
| simulation | the registered codes that a client in its sandbox may have answered |
| client_authentication | RFC 6749 §2.3, RFC 7521, RFC 7523, RFC 10070 |
| grants | RFC 6749 §4.1.3, §6, RFC 9700 §4.14: code, refresh token, and what stands behind them |
| resources | RFC 8707: what a token may be for |
| introspection | RFC 7662, RFC 9701: what a client may learn of a token |
| sender_constraint | RFC 9449, RFC 8705: when a token must be bound, and to what |
| tokens | OpenID Connect Core §2, RFC 9068, RFC 9396 §7: contents of tokens and of the token response |
| jose | RFC 7515, 7517, 7518, 8037, 8725: signatures and public keys, strictly |
| client_key_set | RFC 7517 §5: the keys that a client publishes |
| jwe | RFC 7516, RFC 7518 §4, §5: encryption to a client |
| embedded_key | RFC 7515 §4.1.3, RFC 7638: the key that a proof of possession brings along |
| dpop | RFC 9449: proof that the sender holds a key |
| logout_request | RP-Initiated Logout 1.0: who may be sent back where |
| logout_token | Back-Channel Logout 1.0 §2.4 |
| event_stream | SSF 1.0 §8.1: what a receiver is told, where, and whether now |
| event_stream_request | SSF 1.0 §8.1: what it may ask of its stream |
| event_poll | RFC 8936: fetching events |
| transmitter_metadata | SSF 1.0 §7: what the transmitter of events says of itself |
| security_events | RFC 8417, SSF, CAEP, RISC: what a change of a link is told as |
| delivery_schedule | when a delivery that failed is tried again |
| client_certificate | RFC 8705, 4514, 9440: whose certificate it is |
| metadata | RFC 8414, OpenID Connect Discovery: what the provider says of itself |
| client_metadata | RFC 7591, OpenID Connect Registration: a platform's reviewed file |
| profile_metadata | RFC 8705, 9101, 9126, 9449, CIBA, logout: the members that belong to profiles |
| metadata_reader | reading such a file with every reason at once |
| logo | RFC 7591 §2 (`logo_uri`), RFC 2397: a small PNG inside the registration |
| conformance | what a client or the server lacks for a profile |
| registration | RFC 7591, RFC 7592, OpenID Registration §3: a client that registers itself |
| registration_policy | RFC 7591 §5: what it may register, judged by what results |
| software_statement | RFC 7591 §2.3 |
| sector_identifier | OpenID Registration §5, CIBA §4: who shares the subjects of a sector |
| stored_client | a client as one JSON document |
| stored_request | a request as one JSON document |
"""
