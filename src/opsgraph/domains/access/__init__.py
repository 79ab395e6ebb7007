"""Who acts and what they may do: roles and what they imply, and the users that teams are made of.

Invariants: a user's name is unique without case; a user is deactivated, never deleted, because history names them.
Roles are checked by `rules.require` wherever something is written or followed, and denied unless granted.
"""
