//! Authentication mechanisms: API keys, HTTP Basic, JWT with JWKS, client certificates.
