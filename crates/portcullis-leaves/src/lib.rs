//! Bodies parsed once: JSON, form, multipart and text into a tape of (place, value).
