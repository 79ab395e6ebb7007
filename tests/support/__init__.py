"""What tests share: databases, the test clock, factories by domain, and a counter of SQL statements."""
