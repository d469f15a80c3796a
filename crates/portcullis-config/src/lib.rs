//! What an operator writes: documented types, defaults, loading, diagnostics.
