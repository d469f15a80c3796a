//! The detector of the class `sql` keeps its promises.
#![no_main]

mod detector;

use libfuzzer_sys::fuzz_target;
use portcullis_attacks::Class;

fuzz_target!(|input: (u8, &[u8])| detector::holds(Class::Sql, input.0, input.1));
