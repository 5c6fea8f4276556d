//! The alarm's webhook: one message posted to a Slack-compatible address. The address is a secret,
//! because whoever has it may write there: it is in no error, no log and no `Debug`, and of what
//! goes wrong only the kind is told. What goes wrong is a warning's text and never more.

use std::fmt;
use std::time::Duration;

use reqwest::header::{CONTENT_TYPE, HeaderMap, RETRY_AFTER};
use reqwest::{redirect, retry};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::json;
use url::Url;

use crate::delivery::Clock;
use crate::github::TransportError;
use crate::github::api_url::is_loopback;

/// How long one attempt may take, from connecting to the answer's head.
const TIMEOUT: Duration = Duration::from_secs(10);
/// How often a message is sent that the server does not take.
const ATTEMPTS: u32 = 3;
/// The shortest wait before another attempt, and the longest that a server is granted.
const WAITS: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(10));

/// An address that messages may be posted to.
pub struct Webhook {
    url: SecretString,
    timeout: Duration,
}

/// Why an address is refused. It never holds the address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadWebhook {
    /// It is empty, is no URL, or has white space in it.
    #[error("it is not a web address: copy the whole of it, https://…")]
    NoUrl,
    /// It is neither https nor on this machine.
    #[error(
        "it is not https, so that the message and the address would cross the network in clear"
    )]
    Plain,
    /// It has a user's name or password in it.
    #[error("it has user info (or an @ before the path) in it, which a webhook does not need")]
    UserInfo,
}

impl fmt::Debug for Webhook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Webhook").finish_non_exhaustive()
    }
}

impl Webhook {
    /// Returns the webhook at `url`: https, or http on loopback, without user info.
    ///
    /// # Errors
    /// Says which rule is broken, without the address.
    pub fn parse(url: &SecretString) -> Result<Self, BadWebhook> {
        let text = url.expose_secret();
        // The URL parser drops tabs and newlines: what is written would not be where it goes.
        if text.contains(|c: char| c.is_whitespace() || c.is_control() || c == '\\') {
            return Err(BadWebhook::NoUrl);
        }
        let Ok(parsed) = Url::parse(text) else { return Err(BadWebhook::NoUrl) };
        match parsed.scheme() {
            "https" => {}
            "http" if is_loopback(&parsed) => {}
            "http" => return Err(BadWebhook::Plain),
            _ => return Err(BadWebhook::NoUrl),
        }
        if !parsed.username().is_empty() || parsed.password().is_some() {
            return Err(BadWebhook::UserInfo);
        }
        Ok(Self { url: url.clone(), timeout: TIMEOUT })
    }

    /// Posts `text`, in Slack's format. A 429 and a failure of the server's are tried three times
    /// in all, and waited for on `clock`; a redirect is not followed.
    ///
    /// # Errors
    /// What went wrong, for a warning; never the address, and nothing that the server wrote.
    pub async fn post<C: Clock>(&self, text: &str, clock: &C) -> Result<(), String> {
        let Ok(url) = Url::parse(self.url.expose_secret()) else {
            return Err(BadWebhook::NoUrl.to_string());
        };
        let http = self.client(&url).ok_or("TLS cannot be set up on this machine")?;
        let body = json!({ "text": text }).to_string();
        let mut attempt = 1;
        loop {
            let sent = http
                .post(url.clone())
                .header(CONTENT_TYPE, "application/json")
                .body(body.clone())
                .send()
                .await
                .map_err(TransportError::read);
            let (again, asked, error) = match &sent {
                Ok(answer) => match answer.status().as_u16() {
                    200..=299 => return Ok(()),
                    status => {
                        let again = status == 429 || status >= 500;
                        (again, asked_wait(answer.headers()), refused(status))
                    }
                },
                // What may have arrived is not sent again: it would be said twice.
                Err(error) => (!error.sent, None, error.kind.to_string()),
            };
            if !again || attempt == ATTEMPTS {
                let times =
                    if attempt > 1 { format!(" (tried {attempt} times)") } else { String::new() };
                return Err(format!("{error}{times}"));
            }
            let wait = asked.unwrap_or(Duration::from_secs(u64::from(attempt)));
            clock.wait_until(clock.now().saturating_add(wait), false).await;
            attempt += 1;
        }
    }

    #[expect(clippy::disallowed_methods, reason = "the one client that does not speak to GitHub")]
    fn client(&self, url: &Url) -> Option<reqwest::Client> {
        // An error says that this process has a provider already, which is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let plain = url.scheme() == "http";
        let mut builder = reqwest::Client::builder()
            .user_agent(concat!("ecosystem-dispatcher/", env!("CARGO_PKG_VERSION")))
            .redirect(redirect::Policy::none())
            .retry(retry::never())
            .referer(false)
            .https_only(!plain)
            .timeout(self.timeout);
        if is_loopback(url) {
            builder = builder.no_proxy();
        }
        if plain {
            // No certificate is ever checked, so a machine without any must do.
            builder = builder.tls_certs_only([]);
        }
        builder.build().ok()
    }
}

/// Returns the wait that an answer asks for in seconds, as far as it is granted.
fn asked_wait(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?;
    Some(Duration::from_secs(text.trim().parse().ok()?).clamp(WAITS.0, WAITS.1))
}

fn refused(status: u16) -> String {
    match status {
        300..=399 => format!("it answered {status} and redirects, which is not followed"),
        401 | 403 | 404 | 410 => format!(
            "it answered {status}: it was revoked, or the address is not right; make a new one"
        ),
        _ => format!("it answered {status}"),
    }
}

#[cfg(test)]
mod tests;
