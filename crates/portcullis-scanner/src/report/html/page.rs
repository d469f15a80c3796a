//! How the page looks: light and dark by the reader's choice, and on paper.

/// The whole style sheet. Its hash is in the page's policy, so it must be written into the page as it stands.
pub(super) const STYLE: &str = include_str!("page.css");
