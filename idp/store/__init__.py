"""Memory. Statements of intent over two engines; the only place with SQL. Values go in and come out, no rows.

What the rest of the program uses:

| module | what it remembers, or does |
|---|---|
| unit_of_work | reads at once, writes together in one commit; holds all stores below |
| account_links | account links; uniqueness and cap by two indexes |
| link_changes | what happened to links, in the one order in which everybody learns of it |
| cases | what was brought forward about links: opened, answered and closed once |
| notices | what people were told, and the way to say that it was not them |
| guardianships | who speaks for which child |
| holdings | what is held about a person beside their links and history, described for them |
| guardian_requests | what children ask their guardians: decided once, used once |
| public_marks | links whose mark anybody may look up |
| citizens | the register, sealed and found by keyed hash |
| authenticators | what lets people in; one-time codes used once |
| passkeys | passkeys: each use in its turn, revoked once |
| app_devices | phones that approve, and their wrong PINs |
| phone_approvals | what they are asked, and the short codes that lead there |
| recovery_codes | codes on paper, each used once |
| trusted_browsers | browsers that their person had remembered |
| upstream_accounts | who came from which other identity provider, by number and `sub` together |
| upstream_visits | ways through such a provider: of one browser, good once |
| security_overview | what lets a person in, at a glance |
| sessions | signed-in browsers |
| consents | decisions, as the proof of them |
| clients | registered relying parties |
| interactions | authorization requests under way |
| codes | pushed requests and authorization codes, each used once |
| grants | grants and refresh tokens; spent values |
| backchannel_requests | requests that are answered on another device |
| access_tokens | opaque access tokens, and any that were revoked |
| client_secrets | client secrets, hashed, and sealed where an HMAC needs them |
| activations | codes by which people come to ways of signing in: used once, stopped once |
| lost_credentials | what a recovery ends |
| attempts | counters of sign-in attempts |
| feature_policies | the versions of the feature policy, each published once |
| ledger | the audit log and its chain |
| places | where a page of a list begins that is read newest first |
| activity | the same, as the person it concerns reads it |
| figures | counts for the public figures |
| merkle_log | the published tree over it: tiles, checkpoints, what was purged |
| registrations | clients that registered themselves, and what let them in |
| platform_links | account links as one platform reads them |
| idempotency_keys | answers by the key of their request |
| event_streams | what receivers asked to be told, where, and of whom not |
| polled_sets | security events that wait to be fetched |
| followed_links | links as they stand behind a handful of their changes |
| outbox | what is to be told to others: recorded, claimed, and what became of it |
| outbox_overview | the outbox as an operator sees it |
| set_deliveries | a security event on its way into the outbox |
| person_changes | what changed about a person and follows them to the platforms |
| text_lists | many texts in one bind |
| mass_actions | what was done to many links at once, and how each stood before |
| operators | who can approve what another operator proposed |
| simulations | what clients in their sandbox have the provider answer, counted down |
| leases | which process does a job now |
| status_lists | which indexes of a status list are taken, and what each says |
| remains | removal of what is over |

How it is done:

| module | what it is |
|---|---|
| columns | how a column is declared and classified as to personal data |
| tables | the tables of people, sessions, clients, grants and links |
| client_tables | the tables of what clients hold and are sent besides |
| link_tables | the tables of what follows from links |
| credential_tables | the tables of what lets people in |
| oversight_tables | the tables of oversight: policies, mass actions, the Merkle log |
| schema | the whole schema |
| writes | a write as a value; gates for what may happen once |
| recorder | collects the writes of a unit of work |
| database | the interface of an engine |
| sqlite | one writer thread, reads on the loop |
| postgresql | a commit folded into one statement |
| opening | from a database URL to an engine |
| sealing | what the stores ask of whoever holds the keys |
| encoding | how values stand in columns |
| migrate | Alembic, up and down |
| schema_revision | which revision a database stands at |
"""
