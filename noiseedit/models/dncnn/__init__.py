"""DnCNN: a ``RestorationModel`` with the network ``DnCNN``; here are its released weights."""
