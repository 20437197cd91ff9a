"""What can be wrong with keys. No message and no attribute ever carries key material.

CustodyError                the key directory cannot be used as it is
├── SealedDataError         sealed bytes were altered, moved to another context, or sealed under another key
├── UnknownKeyError         no such kid, or no key for that algorithm
├── LifecycleError          a move that the life cycle does not know
└── PolicyError             policy.toml says something the program does not understand
"""


class CustodyError(Exception):
    """The key directory cannot be used as it is; the message tells an operator what to do."""


class SealedDataError(CustodyError):
    """Sealed bytes were altered, moved to another context, or sealed under a key that is not held here."""


class UnknownKeyError(CustodyError):
    """There is no key with that kid, or none for that algorithm."""


class LifecycleError(CustodyError):
    """A key was asked to make a move that its life cycle does not know."""


class PolicyError(CustodyError):
    """The policy names something the program does not understand, so nothing is guessed."""
