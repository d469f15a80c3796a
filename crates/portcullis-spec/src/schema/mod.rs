//! Compiled JSON Schema over the request body as parsed.
