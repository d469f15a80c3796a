//! API keys: written in SQLite, answered from memory.
