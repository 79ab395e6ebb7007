"""Writes of the readiness domain.

Locks are taken in one order by everyone: services, the policy, states of readiness; within each, by id. Health and
incidents, where a transaction changes them as well, come before states.
"""
