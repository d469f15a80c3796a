//! Swagger 2.0, OpenAPI 3.0 and 3.1 into a [`Document`](crate::model::Document).
