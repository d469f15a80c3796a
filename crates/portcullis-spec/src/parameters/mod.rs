//! Parameters decoded by style and checked.
