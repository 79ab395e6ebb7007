"""Who acts and what they may do: roles and what they imply, the users that teams are made of, keys, and what was done.

Invariants: a user's name is unique without case; a user is deactivated, never deleted, because history names them.
A key's name is unique without case for good: it is who acts, and history names it. Of its secret only a hash is kept,
so that nobody can read it again; a key that was revoked stays revoked. The audit log is only ever added to.
Roles are checked by `rules.require` wherever something is written or followed, and denied unless granted.
"""
