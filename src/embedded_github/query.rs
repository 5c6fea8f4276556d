//! What stands behind the `?` of a path, and the pages that it asks for. Pure: what GitHub makes of
//! garbage there, and the `link` header that leads from page to page.
//!
//! Source: REST documentation, "Using pagination in the REST API" (the relations, their order, no
//! header when all fits on one page) and "List branches" (30 a page unless asked otherwise, 100 at
//! most). Decided here: what is no number, or none above 0, counts as not said; `prev` of a page
//! behind the last one is the last one.

/// Results on a page when the request does not say how many.
const PER_PAGE: usize = 30;
/// The most results on a page, whatever the request says.
const MOST_PER_PAGE: usize = 100;

/// Returns the value of a parameter, decoded; the last one where it is given twice, as Rack takes
/// it.
pub(super) fn value(query: &str, name: &str) -> Option<String> {
    url::form_urlencoded::parse(query.as_bytes())
        .filter(|(known, _)| known == name)
        .last()
        .map(|(_, value)| value.into_owned())
}

/// Returns the path with its `%XX` decoded; nothing when that is not UTF-8. A `%` without two
/// digits behind it stands for itself.
pub(super) fn decoded(path: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(path.len());
    let mut rest = path.as_bytes();
    while let Some((first, behind)) = rest.split_first() {
        let digits = behind.get(..2).and_then(|it| std::str::from_utf8(it).ok());
        let byte = digits
            .filter(|it| *first == b'%' && it.bytes().all(|digit| digit.is_ascii_hexdigit()))
            .and_then(|it| u8::from_str_radix(it, 16).ok());
        bytes.push(byte.unwrap_or(*first));
        rest = if byte.is_some() { behind.get(2..).unwrap_or_default() } else { behind };
    }
    String::from_utf8(bytes).ok()
}

/// Returns the path fit for a URL: its slashes stay.
pub(super) fn encoded(path: &str) -> String {
    use std::fmt::Write as _;

    let mut out = String::with_capacity(path.len());
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

/// The part of a list that a request asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Page {
    size: usize,
    /// Counted from 1.
    number: usize,
}

impl Page {
    /// Returns the page that `per_page` and `page` of a query ask for.
    pub(super) fn of(query: &str) -> Self {
        let number = |name| value(query, name)?.parse::<usize>().ok().filter(|number| *number > 0);
        Self {
            size: number("per_page").unwrap_or(PER_PAGE).min(MOST_PER_PAGE),
            number: number("page").unwrap_or(1),
        }
    }

    /// Returns what is on the page.
    pub(super) fn of_all<T>(self, all: impl Iterator<Item = T>) -> Vec<T> {
        all.skip((self.number - 1).saturating_mul(self.size)).take(self.size).collect()
    }

    /// Returns the `link` header of the page of a list that has `total` entries and is at `url`,
    /// for a request with this query.
    pub(super) fn link(self, url: &str, query: &str, total: usize) -> Option<String> {
        let last = total.div_ceil(self.size).max(1);
        let to = |relation: &str, number: usize| {
            let others =
                url::form_urlencoded::parse(query.as_bytes()).filter(|(name, _)| name != "page");
            let query = url::form_urlencoded::Serializer::new(String::new())
                .extend_pairs(others)
                .append_pair("page", &number.to_string())
                .finish();
            format!("<{url}?{query}>; rel=\"{relation}\"")
        };
        let mut relations = Vec::new();
        if self.number > 1 {
            relations.push(to("prev", (self.number - 1).min(last)));
        }
        if self.number < last {
            relations.push(to("next", self.number + 1));
            relations.push(to("last", last));
        }
        if self.number > 1 {
            relations.push(to("first", 1));
        }
        (!relations.is_empty()).then(|| relations.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::*;

    #[test]
    fn what_is_no_number_counts_as_not_said() {
        for (query, size, number) in [
            ("", 30, 1),
            ("per_page=1", 1, 1),
            ("per_page=100&page=7", 100, 7),
            ("per_page=101", 100, 1),
            ("per_page=1000", 100, 1),
            ("per_page=0", 30, 1),
            ("per_page=-1&page=-1", 30, 1),
            ("per_page=abc&page=abc", 30, 1),
            ("per_page=&page=", 30, 1),
            ("per_page&page", 30, 1),
            ("page=0", 30, 1),
            ("page=99999999999999999999999", 30, 1),
            ("page=18446744073709551615", 30, usize::MAX),
            ("per_page=5&per_page=6", 6, 1),
            ("per%5Fpage=%35", 5, 1),
            ("&&=&%=%zz&page=2", 30, 2),
        ] {
            assert_eq!(Page::of(query), Page { size, number }, "{query}");
        }
    }

    #[test]
    fn the_pages_of_a_list_are_the_list() {
        for total in [0, 1, 2, 3, 7] {
            let pages = (1..10).flat_map(|number| Page { size: 3, number }.of_all(0..total));
            assert_eq!(pages.collect::<Vec<_>>(), (0..total).collect::<Vec<_>>());
        }
        assert_eq!(Page { size: 100, number: usize::MAX }.of_all(0..9), [0; 0]);
    }

    #[test]
    fn links_lead_forth_and_back_and_keep_the_rest_of_the_query() {
        let link = |query, total| {
            Page::of(query).link("u", query, total).unwrap_or_default().replace("; rel=", " ")
        };
        for (query, total, expected) in [
            ("", 0, ""),
            ("", 30, ""),
            ("", 31, r#"<u?page=2> "next", <u?page=2> "last""#),
            ("page=2", 31, r#"<u?page=1> "prev", <u?page=1> "first""#),
            (
                "page=2&per_page=2",
                5,
                "<u?per_page=2&page=1> \"prev\", <u?per_page=2&page=3> \"next\", \
                 <u?per_page=2&page=3> \"last\", <u?per_page=2&page=1> \"first\"",
            ),
            ("page=9", 31, r#"<u?page=2> "prev", <u?page=1> "first""#),
            ("page=9", 0, r#"<u?page=1> "prev", <u?page=1> "first""#),
            ("x=%3E%0D%0A", 31, r#"<u?x=%3E%0D%0A&page=2> "next", <u?x=%3E%0D%0A&page=2> "last""#),
        ] {
            assert_eq!(link(query, total), expected, "{query} {total}");
        }
    }

    #[test]
    fn a_path_is_decoded_once_and_comes_back_encoded() {
        for (sent, path) in [
            ("a%20b/c", Some("a b/c")),
            ("a%2Fb", Some("a/b")),
            ("a+b", Some("a+b")),
            ("%252F", Some("%2F")),
            ("%C3%BC", Some("ü")),
            ("ü", Some("ü")),
            ("100%", Some("100%")),
            ("%zz%4", Some("%zz%4")),
            ("%+1", Some("%+1")),
            ("%ü", Some("%ü")),
            ("%FF", None),
            ("", Some("")),
        ] {
            assert_eq!(decoded(sent).as_deref(), path, "{sent}");
        }
        for path in ["a b/ü.md", "%2F?#&=+", "\r\n\"<>", "~._-"] {
            assert_eq!(decoded(&encoded(path)).as_deref(), Some(path));
        }
    }
}
