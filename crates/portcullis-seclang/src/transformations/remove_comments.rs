//! `t:removeComments`: removes `/* */` and `<!-- -->`, and all from `--` or `#` on.
//!
//! Two oddities are ModSecurity's and rules may see them: the byte after a closed comment is copied without a look at it,
//! a NUL standing in for it at the end of the value, and either kind of comment may be closed by the other's mark.

use std::borrow::Cow;

use super::ChangedBy;
use super::rewrite::settle;
use crate::byte_set::ByteSet;

pub(super) const CHANGED_BY: ChangedBy = ChangedBy::Bytes(ByteSet::of(b"*-#"));

pub(super) fn apply(value: &[u8]) -> Cow<'_, [u8]> {
    if memchr::memchr3(b'*', b'-', b'#', value).is_none() {
        return Cow::Borrowed(value);
    }
    let mut out = Vec::with_capacity(value.len() + 1);
    let mut rest = value;
    loop {
        rest = match rest {
            [] | [b'#', ..] | [b'-', b'-', ..] => return settle(value, out),
            [b'/', b'*', inside @ ..] | [b'<', b'!', b'-', b'-', inside @ ..] => match after_close(inside) {
                Some([next, tail @ ..]) => {
                    out.push(*next);
                    tail
                }
                Some([]) => {
                    out.push(0);
                    &[]
                }
                None => {
                    out.push(b' ');
                    return settle(value, out);
                }
            },
            [byte, tail @ ..] => {
                out.push(*byte);
                tail
            }
        };
    }
}

/// What follows the mark that closes the comment; `None` when it stays open.
fn after_close(mut inside: &[u8]) -> Option<&[u8]> {
    loop {
        inside = match inside {
            [b'*', b'/', tail @ ..] | [b'-', b'-', b'>', tail @ ..] => return Some(tail),
            [_, tail @ ..] => tail,
            [] => return None,
        };
    }
}

#[cfg(test)]
mod tests {
    use super::apply;

    #[test]
    fn removes_closed_comments() {
        assert_eq!(&*apply(b"a/* b */c<!-- d -->e"), b"ace");
    }

    #[test]
    fn cuts_at_comments_that_run_to_the_end() {
        assert_eq!(&*apply(b"select 1-- x"), b"select 1");
        assert_eq!(&*apply(b"select 1 # x"), b"select 1 ");
        assert_eq!(&*apply(b"a/* b"), b"a ");
    }

    #[test]
    fn copies_the_byte_after_a_comment_unseen() {
        assert_eq!(&*apply(b"/**/#a"), b"#a");
        assert_eq!(&*apply(b"/**/"), b"\0");
    }

    #[test]
    fn leaves_single_marks() {
        assert!(matches!(apply(b"a-b * c </"), std::borrow::Cow::Borrowed(_)));
    }
}
