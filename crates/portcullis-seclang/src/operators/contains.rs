//! `@contains` and `@strmatch`: the argument occurs in the value.

use memchr::memmem;

/// The argument, prepared for search.
#[derive(Debug)]
pub(crate) struct Contains(memmem::Finder<'static>);

impl Contains {
    pub(super) fn new(argument: &[u8]) -> Self {
        Self(memmem::Finder::new(argument).into_owned())
    }

    pub(super) fn matches(&self, value: &[u8]) -> bool {
        self.0.find(value).is_some()
    }

    pub(crate) fn text(&self) -> &[u8] {
        self.0.needle()
    }
}

/// The same for an argument that is known only now.
pub(super) fn matches(argument: &[u8], value: &[u8]) -> bool {
    memmem::find(value, argument).is_some()
}

#[cfg(test)]
mod tests {
    use super::{Contains, matches};

    #[test]
    fn finds_the_argument_anywhere() {
        for (argument, value, expected) in [
            (&b"b"[..], &b"abc"[..], true),
            (b"", b"", true),
            (b"\0", b"a\0", true),
            (b"B", b"abc", false),
            (b"abcd", b"abc", false),
        ] {
            assert_eq!(matches(argument, value), expected);
            assert_eq!(Contains::new(argument).matches(value), expected);
        }
    }
}
