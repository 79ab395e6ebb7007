"""Which of the operational duties a service fulfils: a runbook, monitoring, an owner, documentation, incident response.

Owns the duties and one recorded answer a service and duty. Five duties are built in (`rules.CHECKS`); an organisation
adds its own, and describes or disables any, as rows of a table.

Invariants: nothing recorded is not the same as failing: a service without any answer has no checks and needs review;
once one is recorded, the others count as failed until they are recorded too. What a service declares elsewhere implies
answers in place of those that were not recorded, and is never itself a recorded one.
"""
