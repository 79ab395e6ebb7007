"""The opsgraph command: one file a command, errors as people expect them, exit codes that scripts can rely on."""
