"""Formats that others define for catalogs, read into frozen values: Backstage."""
