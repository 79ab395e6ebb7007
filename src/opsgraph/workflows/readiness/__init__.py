"""Judging the readiness of services: what is measured for them, the evaluation, and keeping it up to date."""
