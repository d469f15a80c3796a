//! The detector of the class `smuggling` keeps its promises.
#![no_main]

mod detector;

use libfuzzer_sys::fuzz_target;
use portcullis_attacks::Class;

fuzz_target!(|input: (u8, &[u8])| detector::holds(Class::Smuggling, input.0, input.1));
