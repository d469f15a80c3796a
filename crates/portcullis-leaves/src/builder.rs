//! Trees built by hand: parameters decoded by their style, forms given types by a schema.

use thiserror::Error;

use crate::{
    json::number_end,
    limits::{LENGTH_MAX, LimitExceeded, Limits},
    tape::{Node, Refusal, Refused, Tag, Tape},
    tree::Tree,
};

/// Why a tree cannot be built so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum BuildError {
    /// A bound on bodies.
    #[error(transparent)]
    Limit(#[from] LimitExceeded),
    /// An object has a member of that name already.
    #[error("duplicate member")]
    DuplicateMember,
    /// The text is not a number by RFC 8259 §6, or too large for a double.
    #[error("not a number")]
    NotANumber,
    /// A value where a name is due, a name where none is, or an end without its beginning.
    #[error("value or end out of place")]
    OutOfPlace,
}

/// Writes a [`Tree`] value by value, under the same limits as a parser.
///
/// Within an object, each value is preceded by its [`TreeBuilder::name`]. After an error the builder is of no use.
pub struct TreeBuilder {
    tape: Tape,
    named: bool,
}

impl TreeBuilder {
    /// An empty builder.
    pub fn new(limits: &Limits) -> Self {
        Self { tape: Tape::new(8, limits), named: false }
    }

    /// Begins an object.
    pub fn begin_object(&mut self) -> Result<(), BuildError> {
        self.value_is_due()?;
        let opened = self.tape.open(Tag::Object, 0);
        self.checked(opened)
    }

    /// Begins an array.
    pub fn begin_array(&mut self) -> Result<(), BuildError> {
        self.value_is_due()?;
        let opened = self.tape.open(Tag::Array, 0);
        self.checked(opened)
    }

    /// Ends the innermost object or array.
    pub fn end(&mut self) -> Result<(), BuildError> {
        if self.tape.parents.is_empty() || self.named {
            return Err(BuildError::OutOfPlace);
        }
        let closed = self.tape.close("", 0);
        self.checked(closed)
    }

    /// The name of the object's next member.
    pub fn name(&mut self, name: &str) -> Result<(), BuildError> {
        if self.tape.current.tag != Tag::Object || self.named {
            return Err(BuildError::OutOfPlace);
        }
        let node = self.text(Tag::Name, name)?;
        self.named = true;
        let named = self.tape.name("", node);
        self.checked(named)
    }

    /// A string.
    pub fn string(&mut self, text: &str) -> Result<(), BuildError> {
        self.value_is_due()?;
        let max = self.tape.limits().string_bytes_max;
        if text.len() > max as usize {
            return Err(LimitExceeded::StringBytes(max).into());
        }
        let node = self.text(Tag::String, text)?;
        self.scalar(node)
    }

    /// A number as RFC 8259 §6 writes it: no leading zeros, no `+`, no hexadecimal.
    pub fn number(&mut self, literal: &str) -> Result<(), BuildError> {
        self.value_is_due()?;
        let max = self.tape.limits().number_bytes_max;
        if literal.len() > max as usize {
            return Err(LimitExceeded::NumberBytes(max).into());
        }
        let scanned = number_end(literal.as_bytes(), 0).map_err(|_| BuildError::NotANumber)?;
        let finite = literal.parse::<f64>().is_ok_and(f64::is_finite);
        if scanned.end != literal.len() || !finite {
            return Err(BuildError::NotANumber);
        }
        let node = self.text(Tag::Number, literal)?.written_as_integer(scanned.integer);
        self.scalar(node)
    }

    /// A truth value.
    pub fn bool(&mut self, value: bool) -> Result<(), BuildError> {
        self.value_is_due()?;
        self.scalar(Node::word(if value { Tag::True } else { Tag::False }, 0, 0))
    }

    /// `null`.
    pub fn null(&mut self) -> Result<(), BuildError> {
        self.value_is_due()?;
        self.scalar(Node::word(Tag::Null, 0, 0))
    }

    /// The tree, once exactly one value is complete.
    pub fn finish(self) -> Result<Tree, BuildError> {
        if self.tape.nodes.is_empty() || !self.tape.parents.is_empty() {
            return Err(BuildError::OutOfPlace);
        }
        Ok(Tree::new(String::new(), self.tape))
    }

    /// Fails unless a value may come here.
    fn value_is_due(&mut self) -> Result<(), BuildError> {
        let due = match self.tape.current.tag {
            Tag::Object => std::mem::take(&mut self.named),
            Tag::Array => {
                let counted = self.tape.element();
                return self.checked(counted);
            }
            Tag::Null | Tag::False | Tag::True | Tag::Number | Tag::String | Tag::Name => {
                self.tape.nodes.is_empty()
            }
        };
        if due { Ok(()) } else { Err(BuildError::OutOfPlace) }
    }

    /// Stores text and makes its node.
    fn text(&mut self, tag: Tag, text: &str) -> Result<Node, BuildError> {
        let start = self.tape.side.len();
        let end = start + text.len();
        if end > LENGTH_MAX {
            return Err(LimitExceeded::Length(LENGTH_MAX).into());
        }
        self.tape.side.push_str(text);
        Ok(Node::owned(tag, start..end, 0..0))
    }

    fn scalar(&mut self, node: Node) -> Result<(), BuildError> {
        let appended = self.tape.scalar(node);
        self.checked(appended)
    }

    /// Says why the tape refused.
    fn checked(&self, result: Result<(), Refused>) -> Result<(), BuildError> {
        match (result, self.tape.refusal) {
            (Ok(()), _) => Ok(()),
            (Err(Refused), Some(Refusal::Limit(limit))) => Err(BuildError::Limit(limit)),
            (Err(Refused), Some(Refusal::DuplicateMember)) => Err(BuildError::DuplicateMember),
            (Err(Refused), None) => Err(BuildError::OutOfPlace),
        }
    }
}
