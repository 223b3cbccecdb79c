"""FFDNet: a ``RestorationModel`` with the network ``FFDNet``; here are its released weights."""
