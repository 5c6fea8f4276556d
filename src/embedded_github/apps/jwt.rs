//! Verifies what an App shows: the JWT's signature and its claims, by the model's own clock, and
//! refuses it in GitHub's words. Source: "Generating a JSON Web Token (JWT) for a GitHub App", and
//! the answers quoted in octokit/auth-app.js and gr2m/universal-github-app-jwt.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use ring::signature::{RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};
use serde_json::Value;

use super::{App, DOCS};
use crate::embedded_github::answer::{Answer, REST_DOCS, Request};

/// How far ahead `exp` may be, in seconds.
const LONGEST: i64 = 600;

/// Returns the App that sends the request, if it is that.
pub(super) fn verified<'a>(
    app: Option<&'a App>,
    request: &Request,
    now: Timestamp,
) -> Result<&'a App, Box<Answer>> {
    let refused = |message: &str| Box::new(Answer::error(401, message, REST_DOCS));
    let not_decoded = || refused("A JSON web token could not be decoded");
    let header = request.authorization.as_deref().unwrap_or_default();
    let jwt = header.strip_prefix("Bearer ").ok_or_else(not_decoded)?;
    let (signed, claims, signature) = parts(jwt).ok_or_else(not_decoded)?;
    let app = app.ok_or_else(|| Box::new(Answer::error(404, "Integration not found", DOCS)))?;
    let issuer = claims.get("iss").map(|iss| iss.as_str().map_or(iss.to_string(), str::to_owned));
    if issuer.as_deref() != Some(&app.client_id) && issuer != Some(app.id.to_string()) {
        return Err(Box::new(Answer::error(404, "Integration not found", DOCS)));
    }
    let key = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, &app.public_key);
    if key.verify(signed.as_bytes(), &signature).is_err() {
        return Err(not_decoded());
    }
    let now = now.as_second();
    let number = |name| claims.get(name).and_then(Value::as_i64);
    match number("exp") {
        Some(exp) if exp > now.saturating_add(LONGEST) => {
            return Err(refused("'Expiration time' claim ('exp') is too far in the future"));
        }
        Some(exp) if exp > now => {}
        _ => {
            return Err(refused(
                "'Expiration time' claim ('exp') must be a numeric value representing the future \
                 time at which the assertion expires",
            ));
        }
    }
    if number("iat").is_none_or(|iat| iat > now) {
        return Err(refused(
            "'Issued at' claim ('iat') must be an Integer representing the time that the \
             assertion was issued",
        ));
    }
    Ok(app)
}

/// Returns what is signed, the claims and the signature of a JWT whose algorithm is RS256.
fn parts(jwt: &str) -> Option<(&str, Value, Vec<u8>)> {
    let (signed, signature) = jwt.rsplit_once('.')?;
    let (header, claims) = signed.split_once('.')?;
    let decoded = |part: &str| URL_SAFE_NO_PAD.decode(part).ok();
    let json = |part| serde_json::from_slice::<Value>(&decoded(part)?).ok();
    (json(header)?.get("alg")?.as_str()? == "RS256").then_some(())?;
    Some((signed, json(claims)?, decoded(signature)?))
}
