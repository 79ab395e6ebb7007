"""One relational database, SQLite or PostgreSQL, behind two doors: `Database.reading()` and `Database.transaction()`.

What differs between the two databases is behind primitives here (column types, `upsert`, `lock_sorted`, triggers), so
that no domain asks which one it runs on. Transactions begin and end only at the edges; commands never commit.
"""
