"""The only part that dials out: to addresses that clients registered, guarded against abuse."""
