"""Values and events of the readiness domain."""
