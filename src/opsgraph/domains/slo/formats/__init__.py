"""Formats that others define for service level objectives, read into and written from frozen values: OpenSLO."""
