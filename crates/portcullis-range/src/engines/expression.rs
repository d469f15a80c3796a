//! A small expression language: enough of what templates, `$where` and XPath predicates have in common.
//! Numbers, texts, names, arithmetic, comparison, logic, and a `sleep(milliseconds)`.

use std::{cell::Cell, iter::Peekable, str::Chars, time::Duration};

use serde_json::{Value, json};

/// Longer expressions are refused, in bytes.
const LENGTH_MAX: usize = 4_000;

/// Parentheses and signs within one another.
const DEPTH_MAX: u32 = 40;

/// What one evaluation may sleep in all, in milliseconds.
const SLEEP_MILLIS_MAX: u64 = 5_000;

/// What names stand for.
pub(crate) struct Scope<'a> {
    pub(crate) variable: &'a dyn Fn(&str) -> Value,
    /// `'7' * 7` is seven sevens, as in Python.
    pub(crate) repeats_text: bool,
    /// How much may still be slept, in milliseconds.
    pub(crate) sleep_left: Cell<u64>,
}

impl<'a> Scope<'a> {
    pub(crate) fn new(variable: &'a dyn Fn(&str) -> Value) -> Self {
        Self { variable, repeats_text: false, sleep_left: Cell::new(SLEEP_MILLIS_MAX) }
    }
}

/// The value of an expression; none if it is not one.
pub(crate) fn evaluate(text: &str, scope: &Scope<'_>) -> Option<Value> {
    if text.len() > LENGTH_MAX {
        return None;
    }
    let mut parser = Parser { rest: text.chars().peekable(), scope, depth: 0 };
    let value = parser.either()?;
    parser.space();
    parser.rest.next().is_none().then_some(value)
}

/// A value as text.
pub(crate) fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => match number.as_f64() {
            #[expect(
                clippy::cast_possible_truncation,
                reason = "a whole number within the range where f64 is exact"
            )]
            Some(float) if float.fract() == 0.0 && float.abs() < 9e15 => (float as i64).to_string(),
            _ => number.to_string(),
        },
        Value::Null => String::new(),
        other => other.to_string(),
    }
}

/// Whether a value counts as true.
pub(crate) fn holds(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(it) => *it,
        Value::Number(it) => it.as_f64() != Some(0.0),
        Value::String(it) => !it.is_empty(),
        Value::Array(_) | Value::Object(_) => true,
    }
}

struct Parser<'a> {
    rest: Peekable<Chars<'a>>,
    scope: &'a Scope<'a>,
    depth: u32,
}

impl Parser<'_> {
    fn space(&mut self) {
        while self.rest.next_if(|it| it.is_whitespace()).is_some() {}
    }

    /// Takes this operator if it is next.
    fn takes(&mut self, operator: &str) -> bool {
        self.space();
        let mut ahead = self.rest.clone();
        for wanted in operator.chars() {
            if ahead.next() != Some(wanted) {
                return false;
            }
        }
        let word = operator.chars().all(char::is_alphabetic);
        if word && ahead.peek().is_some_and(|it| it.is_alphanumeric()) {
            return false;
        }
        self.rest = ahead;
        true
    }

    fn either(&mut self) -> Option<Value> {
        let mut left = self.both()?;
        while self.takes("||") || self.takes("or") {
            let right = self.both()?;
            left = json!(holds(&left) || holds(&right));
        }
        Some(left)
    }

    fn both(&mut self) -> Option<Value> {
        let mut left = self.comparison()?;
        while self.takes("&&") || self.takes("and") {
            let right = self.comparison()?;
            left = json!(holds(&left) && holds(&right));
        }
        Some(left)
    }

    fn comparison(&mut self) -> Option<Value> {
        let left = self.sum()?;
        for operator in ["===", "==", "!==", "!=", "<=", ">=", "<", ">", "="] {
            if self.takes(operator) {
                let right = self.sum()?;
                let order = match (number(&left), number(&right)) {
                    (Some(one), Some(two)) => one.partial_cmp(&two)?,
                    _ => shown(&left).cmp(&shown(&right)),
                };
                return Some(json!(match operator {
                    "<" => order.is_lt(),
                    ">" => order.is_gt(),
                    "<=" => order.is_le(),
                    ">=" => order.is_ge(),
                    "!=" | "!==" => order.is_ne(),
                    _ => order.is_eq(),
                }));
            }
        }
        Some(left)
    }

    fn sum(&mut self) -> Option<Value> {
        let mut left = self.product()?;
        loop {
            if self.takes("+") {
                let right = self.product()?;
                left = match (&left, &right) {
                    (Value::Number(one), Value::Number(two)) => json!(one.as_f64()? + two.as_f64()?),
                    _ => json!(format!("{}{}", shown(&left), shown(&right))),
                };
            } else if self.takes("-") {
                let right = self.product()?;
                left = json!(number(&left)? - number(&right)?);
            } else {
                return Some(left);
            }
        }
    }

    fn product(&mut self) -> Option<Value> {
        let mut left = self.unary()?;
        loop {
            if self.takes("*") {
                let right = self.unary()?;
                left = match (&left, number(&right)) {
                    (Value::String(text), Some(times)) if self.scope.repeats_text => {
                        #[expect(
                            clippy::cast_possible_truncation,
                            clippy::cast_sign_loss,
                            reason = "bounded below"
                        )]
                        let times = times.clamp(0.0, 100.0) as usize;
                        json!(text.repeat(times))
                    }
                    (_, right) => json!(number(&left)? * right?),
                };
            } else if self.takes("/") {
                left = json!(number(&left)? / number(&self.unary()?)?);
            } else if self.takes("%") {
                left = json!(number(&left)? % number(&self.unary()?)?);
            } else {
                return Some(left);
            }
        }
    }

    fn unary(&mut self) -> Option<Value> {
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return None;
        }
        let value = if self.takes("!") {
            json!(!holds(&self.unary()?))
        } else if self.takes("-") {
            json!(-number(&self.unary()?)?)
        } else {
            self.atom()?
        };
        self.depth -= 1;
        Some(value)
    }

    fn atom(&mut self) -> Option<Value> {
        self.space();
        match *self.rest.peek()? {
            '(' => {
                self.rest.next();
                let value = self.either()?;
                self.takes(")").then_some(value)
            }
            quote @ ('\'' | '"') => {
                self.rest.next();
                let mut text = String::new();
                loop {
                    match self.rest.next()? {
                        end if end == quote => return Some(json!(text)),
                        '\\' => text.push(self.rest.next()?),
                        other => text.push(other),
                    }
                }
            }
            digit if digit.is_ascii_digit() => {
                let mut text = String::new();
                while let Some(next) = self.rest.next_if(|it| it.is_ascii_digit() || *it == '.') {
                    text.push(next);
                }
                text.parse::<f64>().ok().map(|it| json!(it))
            }
            _ => self.name(),
        }
    }

    fn name(&mut self) -> Option<Value> {
        let mut name = String::new();
        while let Some(next) =
            self.rest.next_if(|it| it.is_alphanumeric() || matches!(it, '_' | '.' | '$' | '@'))
        {
            name.push(next);
        }
        if name.is_empty() {
            return None;
        }
        if self.takes("(") {
            let argument = if self.takes(")") {
                Value::Null
            } else {
                let value = self.either()?;
                if !self.takes(")") {
                    return None;
                }
                value
            };
            return self.call(&name, &argument);
        }
        Some(match name.as_str() {
            "true" => json!(true),
            "false" => json!(false),
            "null" | "None" => Value::Null,
            other => (self.scope.variable)(other),
        })
    }

    fn call(&self, name: &str, argument: &Value) -> Option<Value> {
        match name {
            "sleep" => {
                let asked = Duration::try_from_secs_f64(number(argument)? / 1_000.0).ok()?.as_millis();
                let left = self.scope.sleep_left.get();
                let millis = u64::try_from(asked).unwrap_or(u64::MAX).min(left);
                self.scope.sleep_left.set(left - millis);
                #[expect(
                    clippy::disallowed_methods,
                    reason = "the point of the function; it runs where blocking is allowed"
                )]
                std::thread::sleep(Duration::from_millis(millis));
                Some(json!(true))
            }
            "not" => Some(json!(!holds(argument))),
            "string-length" | "length" => Some(json!(shown(argument).chars().count())),
            _ => None,
        }
    }
}

fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Number(it) => it.as_f64(),
        Value::String(it) => it.trim().parse().ok(),
        Value::Bool(it) => Some(f64::from(u8::from(*it))),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &str) {
        let scope = Scope::new(&|name| if name == "this.a" { json!("x") } else { Value::Null });
        assert_eq!(evaluate(text, &scope).map(|it| shown(&it)).as_deref(), Some(expected), "{text}");
    }

    #[test]
    fn computes() {
        check("7*7", "49");
        check("91823 * 73645", "6762304835");
        check("(1+2)*-3", "-9");
        check("'a' + 1", "a1");
        check("this.a == 'x' && 1 < 2", "true");
        check("'1'='1' or badge='2'", "true");
        check("!0", "true");
    }

    #[test]
    fn refuses_what_is_no_expression() {
        let scope = Scope::new(&|_| Value::Null);
        for text in ["7*", "", "'open", "(1", "1 2", "system('id')", &"(".repeat(2_000)] {
            assert_eq!(evaluate(text, &scope), None, "{text}");
        }
    }
}
