//! A template language: text with expressions between marks, in the manner of several engines.

use serde_json::Value;

use super::expression::{Scope, evaluate, shown};

/// Whose marks are honoured.
#[derive(Clone, Copy)]
pub(crate) enum Manner {
    /// `{{ }}`
    Curly,
    /// `${ }` and `#{ }`
    Dollar,
    /// `<%= %>`
    Percent,
}

/// Renders a template; an expression that is none stops with the engine's complaint.
///
/// # Errors
/// The engine's complaint.
pub(crate) fn render(template: &str, manner: Manner) -> Result<String, String> {
    let marks: &[(&str, &str)] = match manner {
        Manner::Curly => &[("{{", "}}")],
        Manner::Dollar => &[("${", "}"), ("#{", "}")],
        Manner::Percent => &[("<%=", "%>")],
    };
    let mut scope = Scope::new(&|_| Value::Null);
    scope.repeats_text = matches!(manner, Manner::Curly);
    let mut out = String::new();
    let mut rest = template;
    while let Some((at, open, close)) = marks
        .iter()
        .filter_map(|(open, close)| rest.find(open).map(|at| (at, *open, *close)))
        .min_by_key(|it| it.0)
    {
        let Some((before, after)) = rest.split_at_checked(at) else { break };
        out.push_str(before);
        let Some((inner, tail)) = after.get(open.len()..).and_then(|it| it.split_once(close)) else {
            return Err(format!("unexpected end of template, `{close}` is missing"));
        };
        let value = evaluate(inner, &scope).ok_or("unexpected token in expression")?;
        out.push_str(&shown(&value));
        rest = tail;
    }
    out.push_str(rest);
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn renders_in_each_manner() {
        for (template, manner, expected) in [
            ("a {{7*7}} b {{ '7'*3 }}", Manner::Curly, "a 49 b 777"),
            ("${7*7} #{1+1}", Manner::Dollar, "49 2"),
            ("<%= 7*7 %>", Manner::Percent, "49"),
            ("{{7*7}}", Manner::Dollar, "{{7*7}}"),
        ] {
            assert_eq!(render(template, manner).as_deref(), Ok(expected), "{template}");
        }
        assert!(render("{{7*", Manner::Curly).is_err() && render("{{7*}}", Manner::Curly).is_err());
    }
}
