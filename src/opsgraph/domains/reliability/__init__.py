"""How reliable services have been over 30 days: a score out of four parts, and the DORA keys beside it.

Owns what people declare about uptime, time to restore, incidents and change failure rate. Whatever can be measured is
measured instead, and every part says on what it rests and on how many samples.

Invariants: a part about which nothing is known is left out of the score, it is neither good nor bad; a service about
which nothing is known has no score; the rules take measurements as plain values, whoever measured them.
"""
