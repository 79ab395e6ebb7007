"""The loop around the workers: failures, rounds, stopping."""
