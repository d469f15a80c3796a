//! Whole-system tests: the real binary against real servers.
