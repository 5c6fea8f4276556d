//! Where an answer sends a request next. Redirects are followed by hand because an HTTP client's
//! own policy turns a POST that is answered 301 or 302 into a GET, whose 200 would look like a
//! success, and because the token must not leave the server that it is for.

use reqwest::Response;
use reqwest::header::LOCATION;
use url::Url;

use crate::github::answer::RefusedRedirect;
use crate::github::api_url::same_origin;

/// How many redirects are followed: a rename, a transfer, and one to spare.
const MAX_HOPS: usize = 3;

/// Where an answer sends a request next.
pub(super) enum Hop {
    /// Nowhere: it is the last answer.
    None,
    /// To this address, with method, body and token kept.
    To(Url),
    /// Where it must not go.
    Refused(RefusedRedirect),
}

/// Returns where the answer to a request at `from` sends it next. `seen` are the addresses so far,
/// `from` included; `other` says what a 3xx is that leads the request nowhere.
pub(super) fn next_hop(
    from: &Url,
    response: &Response,
    seen: &[Url],
    other: RefusedRedirect,
) -> Hop {
    match response.status().as_u16() {
        301 | 302 | 307 | 308 => {}
        300..=399 => return Hop::Refused(other),
        _ => return Hop::None,
    }
    let Some(location) = response.headers().get(LOCATION) else {
        return Hop::Refused(RefusedRedirect::NoLocation);
    };
    let Some(mut next) = location.to_str().ok().and_then(|text| from.join(text).ok()) else {
        return Hop::Refused(RefusedRedirect::BadLocation);
    };
    next.set_fragment(None);
    if !same_origin(from, &next) {
        return Hop::Refused(RefusedRedirect::OtherOrigin);
    }
    // User info in a URL would become an Authorization header of its own.
    if !next.username().is_empty() || next.password().is_some() {
        return Hop::Refused(RefusedRedirect::BadLocation);
    }
    if seen.contains(&next) {
        return Hop::Refused(RefusedRedirect::Loop);
    }
    if seen.len() > MAX_HOPS {
        return Hop::Refused(RefusedRedirect::TooMany);
    }
    Hop::To(next)
}
