"""The whole system on one machine, with no container."""
