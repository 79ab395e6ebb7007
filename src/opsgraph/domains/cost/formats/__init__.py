"""Formats that others define for costs, read as a stream of rows: FOCUS; and the file that says whose cost a row is."""
