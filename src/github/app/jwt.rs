//! The JSON Web Token with which an App says who it is. Source: GitHub's "Generating a JSON Web
//! Token (JWT) for a GitHub App" and RFC 7519. Pure but for the signature: the time comes in.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::key::AppKey;
use crate::github::rate_limit::http_date;

/// How long before now it was issued, in seconds, so that a clock that is ahead by less does no
/// harm: what GitHub recommends.
const BACKDATED: i64 = 60;

/// How long from now it holds, in seconds. GitHub takes ten minutes at most, by its own clock.
const LIFE: i64 = 9 * 60;

/// Returns the part of a JWT that is signed, made at `now`.
pub(super) fn unsigned(issuer: &str, now: Timestamp) -> String {
    let header = json!({ "alg": "RS256", "typ": "JWT" });
    let now = now.as_second();
    let claims = json!({ "iat": now - BACKDATED, "exp": now + LIFE, "iss": issuer });
    let part = |value: serde_json::Value| URL_SAFE_NO_PAD.encode(value.to_string());
    format!("{}.{}", part(header), part(claims))
}

/// Returns the JWT of an unsigned part.
pub(super) fn signed(mut unsigned: String, key: &AppKey) -> Option<String> {
    let signature = key.sign(unsigned.as_bytes())?;
    unsigned.push('.');
    URL_SAFE_NO_PAD.encode_string(signature, &mut unsigned);
    Some(unsigned)
}

/// Returns how far the clock that wrote the header `date` is ahead of `wall`, ours.
pub(super) fn ahead(date: Option<&str>, wall: Timestamp) -> Option<SignedDuration> {
    Some(http_date(date?)?.duration_since(wall))
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::*;

    #[test]
    fn a_jwt_was_issued_a_minute_ago_and_holds_for_nine() {
        let text = unsigned("Iv23li", Timestamp::from_second(1_800_000_000).unwrap());
        let parts: Vec<String> = text
            .split('.')
            .map(|part| String::from_utf8(URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap())
            .collect();
        let claims = r#"{"exp":1800000540,"iat":1799999940,"iss":"Iv23li"}"#;
        assert_eq!(parts, [r#"{"alg":"RS256","typ":"JWT"}"#, claims]);
    }

    #[test]
    fn the_other_clock_is_read_from_a_date_that_can_be_understood() {
        let wall = Timestamp::from_second(1_767_323_045).unwrap();
        for (date, seconds) in [
            (Some("Fri, 02 Jan 2026 03:04:05 GMT"), Some(0)),
            (Some("Fri, 02 Jan 2026 03:03:05 GMT"), Some(-60)),
            (Some("Fri, 02 Jan 2026 04:04:05 GMT"), Some(3600)),
            (Some("today"), None),
            (None, None),
        ] {
            assert_eq!(ahead(date, wall).map(|ahead| ahead.as_secs()), seconds, "{date:?}");
        }
    }
}
