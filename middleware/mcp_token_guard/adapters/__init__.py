"""The guard in the words of a framework; each module needs that framework installed, and none knows another."""
