"""The vocabulary every other package speaks: clock, ids, actors, money, text, pages and refusals.

Imports nothing of opsgraph and no framework. Everything here is a value or a pure function, but for the clock and
the id source, which are handed in at the edges so that tests and simulations can replace them.
"""
