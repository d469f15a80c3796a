//! What a message breaks of its description.
