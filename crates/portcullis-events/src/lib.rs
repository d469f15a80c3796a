//! The record's way out: redact, chain, sign, write, rotate, query.
