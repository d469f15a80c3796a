//! State: counters, quotas, bans, API keys; in process and in SQLite.
