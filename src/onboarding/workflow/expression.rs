//! GitHub's expression language, read for one question only: of which references can the result
//! be made? So the tree keeps no operators: a comparison is a boolean and says nothing of what it
//! compares, `a && b` is `b` or something empty, `a || b` is one of the two, a call is made of its
//! arguments. What a name means is for [`super::taint`] to say.
//!
//! It takes a little more than GitHub does (any function name, any number that begins like one),
//! and gives up where GitHub does: an expression that GitHub cannot read stops the whole file.

/// The longest expression, in bytes, and how deep it may nest: GitHub's `ExpressionConstants`.
const MAX_LENGTH: usize = 21_000;
const MAX_DEPTH: usize = 50;

/// What an expression can be made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Expression {
    /// A literal, or a result that shows nothing of what it was made from.
    Constant,
    /// A context and the way into it.
    Reference(Reference),
    /// Any of these, or all together.
    Of(Vec<Self>),
}

/// A context such as `github`, and the way into it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Reference {
    /// The context, in lower case: GitHub tells no case apart.
    pub(super) context: String,
    pub(super) path: Vec<Step>,
}

/// One step into a context.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Step {
    /// By a name, as it is written.
    Named(String),
    /// By `*`, or by something that has yet to be worked out.
    Any,
}

/// Functions whose result shows nothing of the arguments: yes or no, or a digest.
const OPAQUE: [&str; 8] = [
    "always",
    "cancelled",
    "contains",
    "endswith",
    "failure",
    "hashfiles",
    "startswith",
    "success",
];

/// Returns what an expression can be made of, if GitHub can read it.
pub(super) fn parse(text: &str) -> Option<Expression> {
    if text.len() > MAX_LENGTH {
        return None;
    }
    let tokens = tokens(text)?;
    let mut parser = Parser { rest: &tokens, depth: 0 };
    let expression = parser.either()?;
    parser.rest.is_empty().then_some(expression)
}

/// An expression in a text, between `${{` and `}}`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Fenced<'t> {
    pub(super) text: &'t str,
    /// Which of all the `${{` in the text opens it, from 0.
    pub(super) opening: usize,
}

/// Returns the expressions in a text. An end inside of a string literal ends nothing; what is never
/// closed stops the whole file, and so the search.
pub(super) fn fenced(text: &str) -> Vec<Fenced<'_>> {
    const OPEN: &str = "${{";
    let mut found = Vec::new();
    let (mut rest, mut opening) = (text, 0);
    while let Some((_, inside)) = rest.split_once(OPEN) {
        let Some(length) = closing(inside) else { break };
        let (expression, behind) = inside.split_at_checked(length).unwrap_or((inside, ""));
        found.push(Fenced { text: expression.trim(), opening });
        opening += 1 + expression.matches(OPEN).count();
        rest = behind.get(2..).unwrap_or_default();
    }
    found
}

fn closing(inside: &str) -> Option<usize> {
    let mut quoted = false;
    let mut before = ' ';
    for (at, character) in inside.char_indices() {
        match character {
            '\'' => quoted = !quoted,
            '}' if !quoted && before == '}' => return Some(at - 1),
            _ => {}
        }
        before = character;
    }
    None
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Token {
    Name(String),
    Text(String),
    Number,
    /// One of `( ) [ ] , . *`.
    Mark(char),
    Not,
    /// `==`, `!=`, `<`, `<=`, `>`, `>=`.
    Compare,
    And,
    Or,
}

fn tokens(text: &str) -> Option<Vec<Token>> {
    let mut tokens = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let second = rest.chars().nth(1);
        let operator = match (first, second) {
            ('&', Some('&')) => Some((Token::And, 2)),
            ('|', Some('|')) => Some((Token::Or, 2)),
            ('=' | '!' | '<' | '>', Some('=')) => Some((Token::Compare, 2)),
            ('<' | '>', _) => Some((Token::Compare, 1)),
            ('!', _) => Some((Token::Not, 1)),
            ('.', Some('0'..='9')) if !ends_value(tokens.last()) => None,
            ('(' | ')' | '[' | ']' | ',' | '.' | '*', _) => Some((Token::Mark(first), 1)),
            _ => None,
        };
        let (token, length) = match operator {
            Some(operator) => operator,
            None if first == '\'' => string(rest)?,
            None => word(rest)?,
        };
        tokens.push(token);
        rest = rest.get(length..)?.trim_start();
    }
    Some(tokens)
}

/// Returns whether a dot behind the token leads further into a value.
fn ends_value(token: Option<&Token>) -> bool {
    matches!(token, Some(Token::Name(_) | Token::Mark(')' | ']' | '*')))
}

/// Reads a string literal, in which two quotes are one.
fn string(rest: &str) -> Option<(Token, usize)> {
    let mut value = String::new();
    let mut characters = rest.char_indices().skip(1).peekable();
    while let Some((at, character)) = characters.next() {
        if character == '\'' && characters.next_if(|(_, next)| *next == '\'').is_none() {
            return Some((Token::Text(value), at + 1));
        }
        value.push(character);
    }
    None
}

/// Reads a name or a number.
fn word(rest: &str) -> Option<(Token, usize)> {
    let number = rest.starts_with(|c: char| c.is_ascii_digit() || "+-.".contains(c));
    let more = if number { "_-+." } else { "_-" };
    let ends = |c: char| !c.is_ascii_alphanumeric() && !more.contains(c);
    let length = rest.find(ends).unwrap_or(rest.len());
    let name = rest.get(..length).filter(|name| !name.is_empty())?;
    let token = if number { Token::Number } else { Token::Name(name.to_owned()) };
    Some((token, length))
}

struct Parser<'t> {
    rest: &'t [Token],
    depth: usize,
}

impl Parser<'_> {
    fn next(&mut self) -> Option<&Token> {
        let (first, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(first)
    }

    fn take(&mut self, token: &Token) -> bool {
        let taken = self.rest.first() == Some(token);
        if taken {
            self.next();
        }
        taken
    }

    /// `a || b`: any of them.
    fn either(&mut self) -> Option<Expression> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return None;
        }
        let mut alternatives = vec![self.both()?];
        while self.take(&Token::Or) {
            alternatives.push(self.both()?);
        }
        self.depth -= 1;
        Some(of(alternatives))
    }

    /// `a && b`: the last, or one before it that is empty, zero, false or null.
    fn both(&mut self) -> Option<Expression> {
        let mut last = self.comparison()?;
        while self.take(&Token::And) {
            last = self.comparison()?;
        }
        Some(last)
    }

    /// `a == b`: yes or no. Which of the comparisons binds closer makes no difference to that.
    fn comparison(&mut self) -> Option<Expression> {
        let mut result = self.operand()?;
        while self.take(&Token::Compare) {
            self.operand()?;
            result = Expression::Constant;
        }
        Some(result)
    }

    fn operand(&mut self) -> Option<Expression> {
        let mut negated = false;
        while self.take(&Token::Not) {
            negated = true;
        }
        let mut value = self.value()?;
        loop {
            let step = if self.take(&Token::Mark('.')) {
                match self.next()? {
                    Token::Name(name) => Step::Named(name.clone()),
                    Token::Mark('*') => Step::Any,
                    _ => return None,
                }
            } else if self.take(&Token::Mark('[')) {
                self.index()?
            } else {
                break;
            };
            if let Expression::Reference(reference) = &mut value {
                reference.path.push(step);
            }
        }
        Some(if negated { Expression::Constant } else { value })
    }

    /// What stands between brackets, and the bracket that ends it.
    fn index(&mut self) -> Option<Step> {
        let step = match self.rest {
            [Token::Mark('*'), Token::Mark(']'), ..] => {
                self.next();
                Step::Any
            }
            [Token::Text(name), Token::Mark(']'), ..] => {
                let step = Step::Named(name.clone());
                self.next();
                step
            }
            _ => {
                self.either()?;
                Step::Any
            }
        };
        self.take(&Token::Mark(']')).then_some(step)
    }

    fn value(&mut self) -> Option<Expression> {
        let name = match self.next()? {
            Token::Text(_) | Token::Number => return Some(Expression::Constant),
            Token::Mark('(') => {
                let inside = self.either()?;
                return self.take(&Token::Mark(')')).then_some(inside);
            }
            Token::Name(name) => name.clone(),
            _ => return None,
        };
        if self.take(&Token::Mark('(')) {
            let arguments = self.arguments()?;
            let opaque = OPAQUE.contains(&name.to_ascii_lowercase().as_str());
            // Never the argument itself: where a way leads in what a call returns is not known.
            return Some(match of(arguments) {
                made if !opaque && made != Expression::Constant => Expression::Of(vec![made]),
                _ => Expression::Constant,
            });
        }
        Some(match name.as_str() {
            "true" | "false" | "null" | "NaN" | "Infinity" => Expression::Constant,
            _ => {
                let context = name.to_ascii_lowercase();
                Expression::Reference(Reference { context, path: Vec::new() })
            }
        })
    }

    fn arguments(&mut self) -> Option<Vec<Expression>> {
        let mut arguments = Vec::new();
        if self.take(&Token::Mark(')')) {
            return Some(arguments);
        }
        loop {
            arguments.push(self.either()?);
            match self.next()? {
                Token::Mark(',') => {}
                Token::Mark(')') => return Some(arguments),
                _ => return None,
            }
        }
    }
}

/// Returns what all of these are made of, as one.
fn of(mut parts: Vec<Expression>) -> Expression {
    parts.retain(|part| *part != Expression::Constant);
    match parts.len() {
        0 => Expression::Constant,
        1 => parts.remove(0),
        _ => Expression::Of(parts),
    }
}

#[cfg(test)]
mod tests;
