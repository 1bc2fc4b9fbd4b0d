"""What the training of the CNNs has in common. Never imported at run time."""
