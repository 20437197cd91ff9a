"""What every HTTP handler shares: state, forms, cookies, answers, errors. Decides no rule.

| module | what it holds |
|---|---|
| state | what the application opened at its start, typed |
| requests | reading forms, queries and the caller's address, with caps |
| answers | responses with the headers that each kind needs |
| cookies | names and attributes of the cookies |
| boundary | the outermost ASGI layer: one log line per request, no unhandled exception |
| cross_origin | what pages of other origins may call |
| direct_routes | exact paths, found before the router looks |
| failures | what can go wrong for a person, as one exception, and what the log will hold |
| log | one JSON object a line |
| published | metadata and keys, as bytes made once |
| status_indexes | indexes in status lists, reserved in blocks and handed to new links |
| status_lists | status lists, signed once for each of their states |
| feature_policies | the feature policy in memory, and each version as bytes made once |
| clients | registered clients in memory, refreshed when any of them changes |
| client_authentication | the rule of `idp.protocol`, fed with what it needs |
| encryption | answers that only their client can read |
| request_objects | signed requests: the rule of `idp.protocol`, fed with the client's keys |
| client_certificate | the certificate of the sender: from the handshake, or from a proxy that is known |
| sender_constraint | DPoP proofs and nonces; what a request proves of its sender |
| registration | on which terms clients register themselves |
| approvals | a person's answer to a request from elsewhere: what is recorded |
| hinted_person | whom a client's hint means |
| access_tokens | what an access token is worth now, for resources, introspection and revocation |
| protected_resource | one door for every resource that takes an access token |
| log_proofs | proofs from the public log |
| disputes | what opening and deciding a dispute records |
| corrections | what asking the register to correct a datum records |
| notice_facts | what a notice tells of, for the list and for every message |
| vetoes | "this was not me": what is stopped and opened |
| freezes | freezing new links: recorded, written down and told |
| refusals | a refusal by policy, written down once |
| demo_people | the fictitious people of the demonstration |
| simulations | what clients in their sandbox simulate, in memory |
| sandbox | who may use the sandbox, and where answers are simulated |
| sandbox_actions | what is done there to keys, links and people |
| platform_access | who may use the platform API; its requests and answers |
| idempotent_requests | requests that may come twice and happen once |
| sealed_cursors | cursors that only their client can give back |
| upstream_arrivals | somebody back from another identity provider: found, compared, let in |
| arrival | signing in and stepping up: the session begins or rises under a new cookie |
| activations | activation codes: given out, opened, stopped, used, and told of |
| trusted_browsers | browsers that their person had remembered |
| passwords | a password that somebody chooses: checked and hashed |
| credential_changes | what lets a person in has changed: written down and told |
| sign_out | signing out, wherever it is asked for |
| journey | where a person stands: loaded once, judged by the rules |
| guardians | what a minor asked of their guardians, loaded for the rules |
| authorization_response | the one place that issues codes, and how answers travel |
| phones | a phone that was set up: its cookie, what it signs, its PIN |
| phone_approvals | what a browser asks of a phone: begun, taken, answered |
| qr_codes | QR codes as SVG |
| passkeys | challenges, uses, new ones and ends of passkeys |
| passkey_policy | whose attestations count, from the operator's file |
| static_files | our few files, kept by browsers under a versioned address |
| stylesheet | the one stylesheet, which stands inside every page and alone of it is compressed |
| throttle | counting sign-in attempts before they are verified |
"""
