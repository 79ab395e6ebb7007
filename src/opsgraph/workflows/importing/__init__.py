"""Loading files that others made into the domains: Backstage catalogs, OpenSLO documents, FOCUS costs, own exports.

Each import reads its files first and then writes in one transaction. What cannot be taken is refused alone, by file,
line, name and reason, and its neighbours are stored; with `strict` nothing is stored then. Importing the same files
again changes nothing.
"""
