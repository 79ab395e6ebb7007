"""What services cost a month, what they may cost, and what the two together mean.

Owns contributions (what one origin says was billed in one month and one currency), the origins they come from, what
could not be given to a service, and monthly budgets.

Invariants: a contribution is unique by service, month, currency and origin, so that recording or importing again
replaces and never doubles; a monthly entry is the sum of its contributions; amounts in different currencies are never
added; credits (amounts below zero) are amounts like any other.

Decisions: what belongs to no service has a table of its own, because a unique key does not hold where the service is
null. Origins are rows, so that two imports of the same file wait for each other instead of adding up.
"""
