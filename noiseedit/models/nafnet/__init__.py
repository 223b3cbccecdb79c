"""NAFNet: a ``RestorationModel`` with the network ``NAFNet``; here are its released weights."""
