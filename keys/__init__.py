"""Custody of the provider's keys: signing keys with a life cycle, data keys, all sealed on disk.

A leaf package: it imports nothing of ours. README.md is the operator's runbook, policy.toml is reviewed.
"""

from keys.custody import Custody
from keys.data_keys import DataKeyRecord, DataKeys
from keys.errors import CustodyError, LifecycleError, PolicyError, SealedDataError, UnknownKeyError
from keys.keyring import Keyring
from keys.lifecycle import KeyRecord, KeyState
from keys.signer import Signer, VerificationKey

__all__ = [
    "Custody",
    "CustodyError",
    "DataKeyRecord",
    "DataKeys",
    "KeyRecord",
    "KeyState",
    "Keyring",
    "LifecycleError",
    "PolicyError",
    "SealedDataError",
    "Signer",
    "UnknownKeyError",
    "VerificationKey",
]
