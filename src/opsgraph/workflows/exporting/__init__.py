"""Writing what the domains hold in a form that imports again: OpenSLO documents, and everything as a folder of files.

The same values give the same bytes, whichever database they come from. Lists are read a batch at a time.
"""
