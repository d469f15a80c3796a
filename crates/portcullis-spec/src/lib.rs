//! OpenAPI documents into operations and validators.
