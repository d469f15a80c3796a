//! String and number formats.
