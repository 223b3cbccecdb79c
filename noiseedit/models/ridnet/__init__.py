"""RIDNet: a ``RestorationModel`` with the network ``RIDNet``; here are its released weights."""
