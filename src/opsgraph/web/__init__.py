"""The built-in pages: static files that use the public GraphQL API and nothing else."""
