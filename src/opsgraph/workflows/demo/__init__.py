"""The demonstration's data: Larkspur Goods, an online shop that does not exist, with its teams and services.

`model` says in which terms they are described, `company` puts them together from one file a team, `history` turns the
descriptions into what happened up to an instant, and `pulse` keeps a running demonstration moving.
"""
