"""What is read of health: stored rows and the platform report."""
