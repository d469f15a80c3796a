//! Documents compiled into validators.
