//! XML bodies.

use crate::{
    class::Class,
    inspector::{Judging, Spot},
    leaf::Where,
};

impl Judging<'_> {
    pub(crate) fn xml(&mut self, body: &[u8]) -> bool {
        // The markup itself is looked at for what parsers make of it.
        let only = self.inspector.of_class(Class::Xxe).with(self.inspector.of_class(Class::Deserialization));
        self.value(&Spot { only, ..Spot::named(Where::Body, "") }, body);
        false
    }
}
