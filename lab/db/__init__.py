"""The only floor where SQLite and PostgreSQL differ: engine, types, locking, search, migrations."""
