"""What is stored of health, and the events it records."""
