//! Template and expression-language injection (CWE-1336, CWE-917): delimiters with an expression inside that computes
//! or reaches objects. A placeholder that only names something, `{{name}}`, is none.

mod delimiters;
mod expression;
mod lookup;
mod pages;

use super::{Detector, code::strongest::Strongest};
use crate::{class::Class, hit::Hits, view::View};

/// Finds expressions that a template engine would evaluate.
pub(crate) struct Template;

impl Detector for Template {
    fn class(&self) -> Class {
        Class::Template
    }

    fn literals(&self) -> &'static [&'static str] {
        &[
            "{",
            "<%",
            "<#",
            "[#",
            "#set",
            "#foreach",
            "#evaluate",
            "#include",
            "#parse",
            "t(java",
            "t(org.",
            "t (java",
            "@(",
            "#_memberaccess",
            "#context",
            "#parameters",
            "#this",
            "#request",
            "@ognl",
            "@java",
            "@org.",
            "@com.",
            "new java",
            "getclass()",
            ".class.",
            "classloader",
            "<!--#",
            "<esi:",
            "?new()",
            "$class.",
        ]
    }

    fn inspect(&self, view: &View<'_>, hits: &mut Hits) {
        let mut strongest = Strongest::of(Class::Template, view);
        lookup::look(view.lower, &mut strongest);
        if !strongest.is_certain() {
            pages::look(view.lower, &mut strongest);
        }
        if !strongest.is_certain() {
            delimiters::look(view.lower, &mut strongest);
        }
        strongest.report(hits);
    }
}

#[cfg(test)]
mod tests;
