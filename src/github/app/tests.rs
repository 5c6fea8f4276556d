//! Who the App is: its variables, its key, and the JWTs that it shows.

use std::collections::HashMap;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use pretty_assertions::assert_eq;
use ring::signature::{KeyPair as _, RSA_PKCS1_2048_8192_SHA256, RsaKeyPair, UnparsedPublicKey};
use rustls_pki_types::PrivatePkcs1KeyDer;
use rustls_pki_types::pem::PemObject as _;
use serde_json::Value;

use super::*;

const PEM: &str = include_str!("../../../tests/it/support/keys/test-only-app-key.pem");

fn resolved(variables: &[(&str, &str)]) -> Result<Option<App>, AppError> {
    let variables: HashMap<&str, &str> = variables.iter().copied().collect();
    App::resolve(&|name| variables.get(name).map(OsString::from), &|path| match path.to_str() {
        Some("key.pem") => Ok(PEM.as_bytes().to_vec()),
        _ => Err(io::Error::new(io::ErrorKind::NotFound, "there is none")),
    })
}

pub(in crate::github) fn app() -> Arc<App> {
    Arc::new(resolved(&[(ID, "7"), (KEY, PEM)]).unwrap().unwrap())
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

/// Returns `iat` and `exp` of a JWT whose signature is right.
fn claims(jwt: &Jwt) -> (i64, i64) {
    let text = jwt.secret.expose_secret();
    let (signed, signature) = text.rsplit_once('.').unwrap();
    let der = PrivatePkcs1KeyDer::from_pem_slice(PEM.as_bytes()).unwrap();
    let pair = RsaKeyPair::from_der(der.secret_pkcs1_der()).unwrap();
    let key = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, pair.public_key().as_ref());
    key.verify(signed.as_bytes(), &URL_SAFE_NO_PAD.decode(signature).unwrap()).unwrap();
    let (_, claims) = signed.split_once('.').unwrap();
    let claims: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).unwrap()).unwrap();
    (claims["iat"].as_i64().unwrap(), claims["exp"].as_i64().unwrap())
}

#[test]
fn an_app_is_an_id_and_one_key_and_nothing_by_halves() {
    use AppError::*;
    for (variables, expected) in [
        (&[][..], Ok(None)),
        (&[(ID, "7"), (KEY, PEM)], Ok(Some("7"))),
        (
            &[(ID, " Iv1.8a61f9b3a7aba766\n"), (KEY_FILE, "key.pem")],
            Ok(Some("Iv1.8a61f9b3a7aba766")),
        ),
        (&[(ID, "7")], Err(NoKey)),
        (&[(KEY, "hunter22")], Err(NoId { key: KEY })),
        (&[(KEY_FILE, "key.pem")], Err(NoId { key: KEY_FILE })),
        (&[(KEY, ""), (KEY_FILE, "")], Err(TwoKeys)),
        (&[(ID, "7"), (KEY, PEM), (KEY_FILE, "key.pem")], Err(TwoKeys)),
        (&[(ID, "a b"), (KEY, PEM)], Err(BadId)),
        (&[(ID, "é"), (KEY, PEM)], Err(BadId)),
        (&[(ID, "7"), (KEY, "hunter22")], Err(BadKey { variable: KEY, why: key::BadKey::NoPem })),
        (&[(ID, "7"), (KEY_FILE, "")], Err(BadKey { variable: KEY_FILE, why: key::BadKey::Empty })),
        (&[(ID, "7"), (KEY_FILE, "other")], Err(Unread { why: "there is none".to_owned() })),
    ] {
        let found = resolved(variables);
        let names: Vec<_> = variables.iter().map(|(name, _)| name).collect();
        let id = found.as_ref().map(|app| app.as_ref().map(App::id)).map_err(Clone::clone);
        assert_eq!(id, expected, "{names:?}");
        if let Err(error) = found {
            let all = format!("{error} {error:?} {}", error.help());
            assert!(all.contains("ECOSYSTEM_APP") && !all.contains("hunter22"), "{all}");
        }
    }
}

#[test]
fn a_key_is_known_by_its_form_and_what_is_none_by_what_it_is() {
    let other = |name: &str| {
        std::fs::read_to_string(format!(
            "{}/tests/it/support/keys/test-only-{name}.pem",
            env!("CARGO_MANIFEST_DIR")
        ))
        .unwrap()
    };
    let begin = "-----BEGIN RSA PRIVATE KEY-----\n";
    for (pem, expected) in [
        (PEM.to_owned(), None),
        (PEM.replace('\n', "\\n"), None),
        (PEM.replace('\n', "\\r\\n"), None),
        (PEM.replace('\n', "\r\n"), None),
        (format!("  \n\n{PEM}\n\n"), None),
        (other("app-key.pkcs8"), None),
        (String::new(), Some(BadKey::Empty)),
        (" \n".to_owned(), Some(BadKey::Empty)),
        ("ghp_x".to_owned(), Some(BadKey::NoPem)),
        (other("encrypted"), Some(BadKey::Encrypted)),
        ("-----BEGIN ENCRYPTED PRIVATE KEY-----".to_owned(), Some(BadKey::Encrypted)),
        (other("public"), Some(BadKey::Public)),
        ("-----BEGIN RSA PUBLIC KEY-----".to_owned(), Some(BadKey::Public)),
        ("-----BEGIN CERTIFICATE-----".to_owned(), Some(BadKey::NotRsa)),
        ("-----BEGIN OPENSSH PRIVATE KEY-----".to_owned(), Some(BadKey::NotRsa)),
        (other("ec"), Some(BadKey::NotRsa)),
        (other("short"), Some(BadKey::TooShort)),
        (format!("{PEM}{PEM}"), Some(BadKey::Several)),
        (begin.to_owned(), Some(BadKey::Broken)),
        (PEM.replace("MII", "MI"), Some(BadKey::Broken)),
        (PEM.replace('\n', " "), Some(BadKey::Broken)),
        (PEM[..PEM.len() - 60].to_owned(), Some(BadKey::Broken)),
    ] {
        assert_eq!(AppKey::parse(&pem).err(), expected, "{}", &pem[..pem.len().min(40)]);
    }
}

#[test]
fn a_jwt_is_used_for_a_minute_and_then_another_is_made() {
    let app = app();
    let now = 1_800_000_000;
    assert_eq!(claims(&app.jwt(at(now)).unwrap()), (now - 60, now + 540));
    assert_eq!(claims(&app.jwt(at(now + 59)).unwrap()), (now - 60, now + 540));
    assert_eq!(claims(&app.jwt(at(now + 60)).unwrap()), (now, now + 600));
    // A clock that was set back makes none from the future.
    assert_eq!(claims(&app.jwt(at(now)).unwrap()), (now - 60, now + 540));
}

#[test]
fn a_jwt_that_was_refused_is_made_again_by_githubs_clock_when_that_is_another() {
    // 2026-01-02 03:04:05 UTC.
    let (theirs, date) = (1_767_323_045, Some("Fri, 02 Jan 2026 03:04:05 GMT"));
    for (ours, corrected) in [
        (theirs, false),
        (theirs - 5, false),
        (theirs + 5, false),
        (theirs - 6, true),
        (theirs + 86_400, true),
    ] {
        let app = app();
        let refused = app.jwt(at(ours)).unwrap();
        let other = app.jwt(at(ours)).unwrap();
        assert_eq!(app.corrected(&refused, date, at(ours)), corrected, "{ours}");
        // Who was refused at the same time has another to show now, too.
        assert_eq!(app.corrected(&other, date, at(ours)), corrected, "{ours}");
        let now = if corrected { theirs } else { ours };
        let second = app.jwt(at(ours)).unwrap();
        assert_eq!(claims(&second), (now - 60, now + 540));
        assert!(!app.corrected(&second, date, at(ours)), "once is enough");
        assert!(!app.corrected(&second, None, at(ours)));
    }
    assert!(app().jwt(Timestamp::MIN).is_some() && app().jwt(Timestamp::MAX).is_some());
}

#[test]
fn no_debug_form_shows_the_key() {
    assert_eq!(format!("{:?}", app()), r#"App { id: "7", .. }"#);
}
