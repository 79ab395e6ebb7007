"""Which of the operational duties a service fulfils: a runbook, monitoring, an owner, documentation, incident response.

Owns one recorded answer a service and check. What the checks are stands in one table, `rules.CHECKS`.

Invariants: nothing recorded is not the same as failing: a service without any answer has no checks and needs review;
once one is recorded, the others count as failed until they are recorded too.
"""
