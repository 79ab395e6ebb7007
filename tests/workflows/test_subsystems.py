"""Health subsystems that others install."""
