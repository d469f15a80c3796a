//! What checks with strange values share: a slot under trial, answers compared as if nothing strange had been sent,
//! pairs of values that must and must not mean the same, delays asked for and seen.

mod aim;
mod delay;
mod echo;
mod growth;
mod markup;
mod pairs;
mod pick;
mod schema;

pub(crate) use aim::Aim;
pub(crate) use delay::obeyed;
pub(crate) use echo::{as_if, forms};
pub(crate) use growth::{Sizes, grows};
pub(crate) use markup::{forbids_script, handles, is_page, payload as markup_payload};
pub(crate) use pairs::{Pair, told_apart};
pub(crate) use pick::{all_slots, named, number_like, slots, text_like, url_like};
pub(crate) use schema::{inside, keywords, outside, validator};
