"""The schema's history: one revision per file, run by ``store.migrate``. It knows the schema, not the mapped rows."""
