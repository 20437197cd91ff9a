"""Lienket, an OpenID Connect provider that links social-network accounts to verified people.

An endpoint reads, a rule decides, a store remembers. Imports go downwards only; `make check` holds them to it
(import contracts in pyproject.toml). From the top, one layer a line:

| module | what it is |
|---|---|
| app | everything is opened, wired and closed here |
| deliveries | what others are told: the outbox, emptied by a process of its own |
| endpoints | for machines: one file for each endpoint of the discovery document |
| pages | for citizens: sign in, agree, see and end links |
| operators | for staff: the command line `idp` |
| outbound | the only part that dials out, guarded |
| housekeeping | what happens without a request: sealing the audit log, letting links lapse |
| mass_run | a mass action at work: run, undone, made final |
| companion | a process beside the server, from the inside |
| web | what every HTTP handler shares; decides no rule |
| upstreams | sign-in through external e-ID identity providers |
| settings | every setting, with its meaning |
| store | memory, on SQLite and PostgreSQL; the only SQL |
| protocol | the rules of the wire: OAuth 2.0 and OpenID Connect. Pure |
| authenticators | the rules of sign-in factors and of guessing |
| identity | the rules of the subject matter: account links, people, consent. Pure |
| audit | the vocabulary of the log and its hash chain. Pure |

`endpoints`, `pages`, `operators`, `outbound` and `housekeeping` stand beside each other and do not import one
another; so do `settings` and `store`, and `authenticators` and `protocol`. Secret keys live in the package
`keys`, which imports nothing of ours. Beside this file: SPECIFICATIONS.md (clause, function, test),
SIGNING_IN.md (the ways, what each proves), UPSTREAMS.md (signing in elsewhere),
ERRORS.md (what a reference means), DECISIONS.md (why), CHANGELOG.md; templates, locale and static hold what
pages show.
"""
