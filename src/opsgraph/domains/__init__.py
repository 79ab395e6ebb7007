"""The business, one package each, all with the same files; see docs/architecture.md for what a file may hold."""
