"""Who calls the service, and which routes they may call."""
