"""`python -m opsgraph` is the command line."""

from opsgraph.cli.main import main

main()
