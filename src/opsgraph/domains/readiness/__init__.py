"""Whether a service may go to production: GO, CONDITIONAL_GO or NO_GO, with every reason.

Owns manifests (what a service declares), the policy with its checks, verdicts, exemptions and overrides. What is
measured comes in as sections of facts from outside: a new one is an entry in a table of workflows, not a change here.

Invariants: a manifest, a version of the policy and a verdict are never changed, in the database itself; a verdict names
the version it was made by; an ERROR is never a pass; a failed hard blocker is NO_GO whatever the rate, and every
SECURITY check is one; nobody approves what they asked for; an override stands beside its verdict and never replaces it.
"""
