"""What clients may change: one file a domain. Each mutation is one transaction and names the roles it needs."""
