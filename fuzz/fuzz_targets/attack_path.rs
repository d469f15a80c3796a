//! The detector of the class `path` keeps its promises.
#![no_main]

mod detector;

use libfuzzer_sys::fuzz_target;
use portcullis_attacks::Class;

fuzz_target!(|input: (u8, &[u8])| detector::holds(Class::Path, input.0, input.1));
