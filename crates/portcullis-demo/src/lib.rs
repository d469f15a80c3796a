//! The sample API, the seeded clients and attackers of portcullis demo.
