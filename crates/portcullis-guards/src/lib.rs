//! One file a guard, one file a transform. The order in which they run stands here and nowhere else.

mod authenticate;
mod authorize;
mod ban;
mod concurrency;
mod identity_headers;
mod login_attempts;
mod plaintext_credentials;
mod quota;
mod rate_limit;
mod request_body;
mod request_parameters;
mod response_headers;
mod response_schema;
