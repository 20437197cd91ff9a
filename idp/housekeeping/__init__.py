"""What must be done without being asked: sealing the audit log, letting links lapse, removing remains.

Runs as its own process beside the server (`python -m idp.housekeeping`). Any number may run at once:
a lease picks one, and each job is safe even if two believed to hold it.

| module | what it does |
|---|---|
| sequencer | seals events into the hash chain and the Merkle tree within seconds |
| checkpoints | signs the state of the log once a minute |
| delivery_figures | counts how long deliveries took, for the public figures |
| retention | purges history when its five years are over |
| expiry | lets unredeemed links vanish and overdue ones lapse |
| hand_over | asks whoever turned 16 whether links stay that a guardian approved |
| status_lists | writes what became of links into their status lists, within seconds |
| disputes | decides disputes whose holder did not answer in time |
| mass_endings | makes mass actions final whose time to be undone is over |
"""
