"""The platforms' side: what a social network installs, and a sample of one. Imports nothing of the provider.

`relying_party` is the SDK (installed as `lienket_relying_party`), `social_network` the sample built on it,
`registrations` the reviewed files that `idp clients apply` takes, `log_verifier` a program by which anybody
verifies the public log. README.md is where to begin.
"""
