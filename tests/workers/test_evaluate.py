"""The evaluating worker and the passing of time."""
