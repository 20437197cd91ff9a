"""The operator's side: the command line `idp`. One JSON document with --json, and every change is in the log.

| module | command, or part |
|---|---|
| cli | `idp`: finds the command, renders its failures |
| serve | `idp serve` |
| tls | whom we show which certificate, and whose we take |
| mutual_tls | the second listener of `idp serve`, which asks clients for a certificate |
| connections | a connection that tells the application who is at its other end |
| migrate | `idp migrate` |
| settings_report | `idp settings` |
| companions | the processes that `idp serve` keeps running beside the servers |
| citizens | `idp citizens show, suspend, reinstate, change-number` |
| citizens_import | `idp citizens import` |
| guardians | `idp citizens guardian add, end, list` |
| activations | `idp activations`: codes for a first sign-in, or for more beside a password |
| recoveries | `idp recoveries`: two operators, papers, and a wait |
| person_at_hand | the person somebody stands there for: by number and birth date, never by name |
| letters | the printable letter with a code |
| activation_reports | what these commands answer |
| clients | `idp clients list, show, approve, suspend, reinstate, rotate-secret` |
| clients_apply | `idp clients apply` |
| clients_check | `idp clients check` |
| clients_tokens | `idp clients tokens` |
| profile_report | which profiles the server meets as it is set up |
| account_links | `idp links` |
| feature_policy | `idp policy list, show, check, publish` |
| policy_questions | `idp policy ask` |
| policy_words | what a new version of the policy changes, for whom, in words |
| mass_actions | `idp mass`: many links at once |
| disputes | `idp disputes`: accounts that two people claim |
| operator_people | `idp operators`: who can approve what another proposed |
| second_person | an operator who proves to be there |
| cases | `idp cases` |
| outbox | `idp outbox` |
| event_streams | `idp streams` |
| upstreams | `idp upstreams` |
| keys | `idp keys` |
| audit | `idp audit` |
| figures | `idp figures` |
| audit_verification | verifying the whole log, also while it is being written |
| tree_verification | the same of the Merkle tree, and of all that was signed of it |
| demo | `idp demo` |
| demo_servers | its two programs |
| development_certificate | a certificate for localhost, for `make demo TLS=1` |
| desk | settings, database, keys and clock, opened for one command |
| acting | who acts, for the log |
| options | options that many commands share |
| output | one result on standard output, every other word on standard error |
| failures | expected failures, each as one sentence |
| registrations | reviewed client files: read whole, compared with what is stored |
| citizen_status | what follows for sessions and links when a person's status changes |
| register_lines | a register file, line by line |
| guardian_import | who speaks for whom, as the register tells it |
| people | the person whom a command names |
| register_batches | a batch of the register, compared and stored in one commit |
"""
