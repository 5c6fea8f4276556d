//! One subscription pattern: what its text means, and why a text is refused.
//!
//! Reading is strict on purpose. A pattern that can match nothing, or that means something else
//! here than in a shell, would lose updates without a word, so it is an error with a remedy. The
//! globs themselves are globset's; this module decides every option, and closes the one gap in
//! them: a character class must not match a slash.

mod class;

use std::borrow::Cow;

use class::class;
use globset::{Glob, GlobBuilder};

/// How many bytes a pattern may have: what Linux allows a path (`PATH_MAX`).
const MAX_BYTES: usize = 4096;

/// How deep alternatives in braces may nest; each level multiplies what must be matched.
const MAX_BRACES: usize = 4;

/// Why a pattern was refused: what is wrong with it, and what to write instead.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct BadPattern {
    /// What is wrong, in lower case, without the remedy.
    pub message: String,
    /// What to write instead.
    pub help: String,
}

fn bad<T>(message: impl Into<String>, help: impl Into<String>) -> Result<T, BadPattern> {
    Err(BadPattern { message: message.into(), help: help.into() })
}

/// A subscription pattern that was read without fault.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern {
    text: String,
    exclusion: bool,
    directory_only: bool,
    shape: Shape,
}

/// What a pattern is matched by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Shape {
    /// One path, to the byte: found by looking up a path's own ancestors.
    Literal(Vec<u8>),
    /// A true glob.
    Glob {
        /// The glob in globset's syntax, with classes that cannot match a slash.
        glob: String,
        /// The directory that everything it matches lies in; empty is the root.
        directory: Vec<u8>,
    },
}

impl Pattern {
    /// Returns the pattern that `text` means.
    ///
    /// A leading `!` excludes; then a leading `./` or `/` is dropped; a trailing `/` means
    /// "a directory". `*`, `?`, `[…]`, `{…}` and `**` between slashes are globs, a backslash takes
    /// the meaning from the character behind it. Everything else stands for itself, byte by byte.
    ///
    /// # Errors
    /// Refuses what could never match a path in a git tree and what other tools read differently:
    /// see [`BadPattern`] for what to write instead.
    pub fn parse(text: &str) -> Result<Self, BadPattern> {
        if text.len() > MAX_BYTES {
            return bad(
                format!("the pattern has {} bytes, the limit is {MAX_BYTES}", text.len()),
                "split it into several patterns",
            );
        }
        if text.contains('\0') {
            return bad("the pattern holds a NUL, which no path can", "remove it");
        }
        if let Some(glob) = text.strip_prefix("!(") {
            return bad(
                "extended globs such as !( ) are not supported",
                format!("list alternatives as {{a,b}}; to exclude a path write \"!\\\\({glob}\""),
            );
        }
        let (exclusion, body) =
            text.strip_prefix('!').map_or((false, text), |excluded| (true, excluded));
        let body = body.strip_prefix("./").or_else(|| body.strip_prefix('/')).unwrap_or(body);
        if text.is_empty() {
            return bad("the pattern is empty", "name a directory such as \"features/web\"");
        }
        if body.is_empty() || body == "." || body == "./" {
            return bad(
                "the pattern names the root of the repository",
                format!("write \"{}**\" for everything", if exclusion { "!" } else { "" }),
            );
        }
        let tokens = tokens(body)?;
        check_components(&tokens)?;
        let directory_only = tokens.last() == Some(&Token::Slash);
        let tokens = tokens.strip_suffix(&[Token::Slash]).unwrap_or(&tokens);
        Ok(Self { text: text.to_owned(), exclusion, directory_only, shape: shape(tokens)? })
    }

    /// Returns the pattern as its author wrote it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Returns whether the pattern takes paths away (`!pattern`).
    #[must_use]
    pub fn is_exclusion(&self) -> bool {
        self.exclusion
    }

    /// Returns whether the pattern ends in a slash: it matches a directory above a path (or a
    /// submodule), never a file.
    #[must_use]
    pub fn is_directory_only(&self) -> bool {
        self.directory_only
    }

    /// Returns what the pattern is matched by.
    #[must_use]
    pub fn shape(&self) -> &Shape {
        &self.shape
    }
}

/// Returns the compiled form of a [`Shape::Glob`]'s glob, with every option said outright.
///
/// # Errors
/// Passes on globset's refusal.
pub(crate) fn compile(glob: &str) -> Result<Glob, globset::Error> {
    GlobBuilder::new(glob)
        .literal_separator(true)
        .backslash_escape(true)
        .empty_alternates(true)
        .case_insensitive(false)
        .build()
}

/// Returns what of a glob is below its directory.
pub(crate) fn below<'g>(glob: &'g str, directory: &[u8]) -> &'g str {
    let rest = |above: &[u8]| {
        let at = glob.as_bytes().strip_prefix(above)?.strip_prefix(b"/")?.len();
        glob.get(glob.len() - at..)
    };
    if directory.is_empty() {
        return glob;
    }
    rest(directory).or_else(|| rest(&escaped(directory))).unwrap_or(glob)
}

/// Returns whether what a glob has below its directory is `*` or `**`, perhaps behind more `**`:
/// the shortest match is then every entry of the directory.
pub(crate) fn is_every_entry(below: &str) -> bool {
    let mut names = below.rsplit('/');
    matches!(names.next(), Some("*" | "**")) && names.all(|name| name == "**")
}

/// Returns the pattern that means one path, in the syntax of patterns: what is special there gets a
/// backslash.
pub(crate) fn escaped(path: &[u8]) -> Cow<'_, [u8]> {
    let special = |byte: &u8| b"*?[]{},\\".contains(byte);
    if !path.iter().any(special) {
        return Cow::Borrowed(path);
    }
    let mut out = Vec::with_capacity(path.len() + 4);
    for byte in path {
        if special(byte) {
            out.push(b'\\');
        }
        out.push(*byte);
    }
    Cow::Owned(out)
}

/// One piece of a pattern's text.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Token {
    Char(char),
    Slash,
    /// `*`, `?`, `{`, `,` within braces, `}`.
    Special(char),
    DoubleStar,
    /// A character class, rewritten so that it cannot match a slash.
    Class(String),
}

fn tokens(body: &str) -> Result<Vec<Token>, BadPattern> {
    let mut out = Vec::with_capacity(body.len());
    let mut chars = body.chars().peekable();
    let mut depth = 0_usize;
    while let Some(c) = chars.next() {
        if matches!(c, '+' | '@' | '?' | '*' | '!') && chars.peek() == Some(&'(') {
            return bad(
                format!("extended globs such as {c}( ) are not supported"),
                "list alternatives as {a,b}; for a parenthesis in a name write \\\\(",
            );
        }
        out.push(match c {
            '/' => Token::Slash,
            '*' => {
                let mut stars = 1;
                while chars.next_if_eq(&'*').is_some() {
                    stars += 1;
                }
                match stars {
                    1 => Token::Special('*'),
                    2 => Token::DoubleStar,
                    _ => return double_star_not_alone(),
                }
            }
            '?' => Token::Special('?'),
            '{' => {
                depth += 1;
                if depth > MAX_BRACES {
                    return bad(
                        format!("braces are nested deeper than {MAX_BRACES} levels"),
                        "write several patterns",
                    );
                }
                Token::Special('{')
            }
            ',' if depth > 0 => Token::Special(','),
            '}' if depth > 0 => {
                depth -= 1;
                Token::Special('}')
            }
            '}' => return bad("a } closes nothing", "for a brace in a name write \\\\}"),
            '[' => Token::Class(class(&mut chars)?),
            '\\' => match chars.next() {
                None => return bad("the pattern ends in a backslash", "remove it"),
                Some(next) if next.is_alphanumeric() || matches!(next, '_' | '.' | '-' | ' ') => {
                    return bad(
                        "a backslash does not separate directories",
                        "write a forward slash: paths in git have no other separator",
                    );
                }
                Some('/') => return bad("a backslash before a slash means nothing", "remove it"),
                Some(next) => Token::Char(next),
            },
            other => Token::Char(other),
        });
    }
    if depth > 0 {
        return bad("a { is never closed", "add the }, or write \\\\{ for a brace in a name");
    }
    check_ranges(&out)?;
    Ok(out)
}

/// `{1..3}` is a range in a shell and three dots and digits in a glob: refused, never guessed.
fn check_ranges(tokens: &[Token]) -> Result<(), BadPattern> {
    let mut depth = 0_usize;
    for pair in tokens.windows(2) {
        match pair {
            [Token::Special('{'), _] => depth += 1,
            [Token::Special('}'), _] => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > 0 && pair == [Token::Char('.'), Token::Char('.')] {
            return bad("ranges such as {1..3} are not supported", "list them: {1,2,3}");
        }
    }
    Ok(())
}

fn double_star_not_alone<T>() -> Result<T, BadPattern> {
    bad(
        "** must stand alone between slashes",
        "write \"dir/**/*.js\" for files at any depth, \"dir/*\" for names right in a directory; \
         instead of ** within braces write several patterns",
    )
}

fn check_components(tokens: &[Token]) -> Result<(), BadPattern> {
    let components: Vec<&[Token]> = tokens.split(|token| *token == Token::Slash).collect();
    for (at, component) in components.iter().enumerate() {
        match component {
            [] if at + 1 < components.len() => {
                return bad("the pattern holds an empty directory name (//)", "write one slash");
            }
            [Token::Char('.')] => {
                return bad("the pattern holds the directory name \".\"", "leave it out");
            }
            [Token::Char('.'), Token::Char('.')] => {
                return bad(
                    "the pattern holds \"..\", which no path in a git tree does",
                    "write the path from the root of the repository",
                );
            }
            [Token::DoubleStar] => {}
            other if other.contains(&Token::DoubleStar) => return double_star_not_alone(),
            _ => {}
        }
    }
    Ok(())
}

fn shape(tokens: &[Token]) -> Result<Shape, BadPattern> {
    let is_glob = |token: &Token| !matches!(token, Token::Char(_) | Token::Slash);
    let Some(first_glob) = tokens.iter().position(is_glob) else {
        return Ok(Shape::Literal(literal(tokens)));
    };
    let above = tokens.get(..first_glob).unwrap_or_default();
    let last_slash = above.iter().rposition(|token| *token == Token::Slash).unwrap_or(0);
    let directory = literal(above.get(..last_slash).unwrap_or_default());
    let mut glob = String::new();
    for token in tokens {
        match token {
            Token::Slash => glob.push('/'),
            Token::Special(c) => glob.push(*c),
            Token::DoubleStar => glob.push_str("**"),
            Token::Class(class) => glob.push_str(class),
            Token::Char(c) => {
                if matches!(c, '*' | '?' | '[' | ']' | '{' | '}' | ',' | '\\') {
                    glob.push('\\');
                }
                glob.push(*c);
            }
        }
    }
    match compile(&glob) {
        Ok(_) => Ok(Shape::Glob { glob, directory }),
        Err(error) => bad(error.kind().to_string(), "simplify the pattern"),
    }
}

fn literal(tokens: &[Token]) -> Vec<u8> {
    let text: String = tokens
        .iter()
        .filter_map(|token| match token {
            Token::Char(c) => Some(*c),
            Token::Slash => Some('/'),
            _ => None,
        })
        .collect();
    text.into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn literal_of(text: &str) -> String {
        match Pattern::parse(text).unwrap().shape() {
            Shape::Literal(path) => String::from_utf8(path.clone()).unwrap(),
            Shape::Glob { .. } => panic!("{text} is a glob"),
        }
    }

    #[test]
    fn a_pattern_without_globs_is_one_path() {
        assert_eq!(literal_of("features/webpush/flask"), "features/webpush/flask");
        assert_eq!(literal_of("./features/a"), "features/a");
        assert_eq!(literal_of("/features/a/"), "features/a");
        assert_eq!(literal_of("!features/a"), "features/a");
        assert_eq!(literal_of(r"app/\[id\]/\{x\}/\*\?"), "app/[id]/{x}/*?");
        assert_eq!(literal_of(r"\!important"), "!important");
        assert_eq!(literal_of(".github"), ".github");
        assert_eq!(literal_of("a,b"), "a,b");
        assert_eq!(literal_of("...x/..y"), "...x/..y");
    }

    #[test]
    fn a_trailing_slash_means_a_directory_and_a_leading_bang_excludes() {
        let pattern = Pattern::parse("!docs/").unwrap();
        assert!(pattern.is_exclusion() && pattern.is_directory_only());
        assert_eq!(pattern.as_str(), "!docs/");
        let pattern = Pattern::parse("docs").unwrap();
        assert!(!pattern.is_exclusion() && !pattern.is_directory_only());
    }

    #[test]
    fn a_glob_lies_in_the_directory_before_its_first_special_character() {
        let directory = |text| match Pattern::parse(text).unwrap().shape {
            Shape::Glob { directory, .. } => String::from_utf8(directory).unwrap(),
            Shape::Literal(_) => panic!("{text} is literal"),
        };
        assert_eq!(directory("features/*/flask"), "features");
        assert_eq!(directory("features/web*"), "features");
        assert_eq!(directory("a/b/{c,d}/e"), "a/b");
        assert_eq!(directory("**/*.md"), "");
        assert_eq!(directory("*"), "");
        assert_eq!(directory(r"\[x\]/[ab]"), "[x]");
    }

    #[test]
    fn what_can_never_match_or_means_something_else_elsewhere_is_refused() {
        for (text, message) in [
            ("", "the pattern is empty"),
            ("!", "the pattern names the root of the repository"),
            ("/", "the pattern names the root of the repository"),
            (".", "the pattern names the root of the repository"),
            ("./", "the pattern names the root of the repository"),
            ("a/../b", "the pattern holds \"..\", which no path in a git tree does"),
            ("..", "the pattern holds \"..\", which no path in a git tree does"),
            ("a/./b", "the pattern holds the directory name \".\""),
            ("a//b", "the pattern holds an empty directory name (//)"),
            ("//a", "the pattern holds an empty directory name (//)"),
            ("a//", "the pattern holds an empty directory name (//)"),
            ("a**", "** must stand alone between slashes"),
            ("**.js", "** must stand alone between slashes"),
            ("a/***", "** must stand alone between slashes"),
            ("{a/**,b}", "** must stand alone between slashes"),
            ("a[b", "a [ is never closed"),
            ("a[]", "a [ is never closed"),
            ("a[/]b", "a class cannot match a slash"),
            ("[z-a]", "the range z-a in [ ] is empty"),
            ("{a,b", "a { is never closed"),
            ("a}", "a } closes nothing"),
            (r"features\web", "a backslash does not separate directories"),
            (r"features\", "the pattern ends in a backslash"),
            ("+(a|b)", "extended globs such as +( ) are not supported"),
            ("!(a|b)", "extended globs such as !( ) are not supported"),
            ("x@(a)", "extended globs such as @( ) are not supported"),
            ("v{1..3}", "ranges such as {1..3} are not supported"),
            ("a\0b", "the pattern holds a NUL, which no path can"),
            ("{{{{{a}}}}}", "braces are nested deeper than 4 levels"),
        ] {
            let error = Pattern::parse(text).expect_err(text);
            assert_eq!(error.message, message, "{text}");
            assert!(!error.help.is_empty(), "{text}");
        }
        assert!(Pattern::parse(&"a".repeat(MAX_BYTES + 1)).is_err());
    }
}
