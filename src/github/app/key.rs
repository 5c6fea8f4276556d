//! An App's private key: reads the PEM text that GitHub gave (PKCS#1), or what tools make of it
//! (PKCS#8), and signs. It says what a text is that is no such key, and shows nothing of it.

use ring::rand::SystemRandom;
use ring::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{PrivatePkcs1KeyDer, PrivatePkcs8KeyDer};

/// A key that signs.
pub(super) struct AppKey(RsaKeyPair);

/// What is wrong with a text that should have been a private key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadKey {
    /// It has no characters.
    #[error("is empty")]
    Empty,
    /// Nothing in it begins as a PEM section does.
    #[error("is no PEM text (it has no line \"-----BEGIN RSA PRIVATE KEY-----\")")]
    NoPem,
    /// It can be read with a pass phrase only.
    #[error("is encrypted with a pass phrase")]
    Encrypted,
    /// It is the part of the key that everybody may know.
    #[error("is a public key")]
    Public,
    /// It is a PEM section of another sort: a certificate, a key for SSH or of another algorithm.
    #[error("is no RSA private key")]
    NotRsa,
    /// It holds more than one key.
    #[error("holds more than one key")]
    Several,
    /// The key has fewer than 2,048 bits.
    #[error("has fewer than 2048 bits")]
    TooShort,
    /// It begins well and cannot be read.
    #[error("cannot be read: it was cut off or changed")]
    Broken,
}

impl BadKey {
    pub(super) fn help(self) -> &'static str {
        match self {
            Self::Encrypted => {
                "take the pass phrase off (`openssl rsa -in KEY.pem`), or use the .pem file as \
                 GitHub gave it"
            }
            Self::Public => "use the private key, the .pem file that GitHub gave you",
            Self::Several => "leave the App's own key alone in it",
            Self::NotRsa | Self::TooShort => {
                "generate a private key in the App's settings and use the .pem file as it is"
            }
            Self::Empty | Self::NoPem | Self::Broken => {
                "use the whole .pem file that GitHub gave you, first and last line included, with \
                 its line breaks (or \\n for each)"
            }
        }
    }
}

impl AppKey {
    /// Returns the key in a PEM text; `\n` in two characters is a line break.
    pub(super) fn parse(text: &str) -> Result<Self, BadKey> {
        if text.trim().is_empty() {
            return Err(BadKey::Empty);
        }
        // Base64 has no backslash, so that nothing else can be meant.
        let pem = text.replace("\\r", "\r").replace("\\n", "\n");
        let mut labels =
            pem.split("-----BEGIN ").skip(1).filter_map(|rest| rest.split("-----").next());
        let label = labels.next().ok_or(BadKey::NoPem)?;
        if labels.next().is_some() {
            return Err(BadKey::Several);
        }
        let encrypted = pem.contains("Proc-Type:") || label.contains("ENCRYPTED");
        match label {
            _ if encrypted => Err(BadKey::Encrypted),
            "RSA PRIVATE KEY" => {
                let Ok(key) = PrivatePkcs1KeyDer::from_pem_slice(pem.as_bytes()) else {
                    return Err(BadKey::Broken);
                };
                Self::accepted(RsaKeyPair::from_der(key.secret_pkcs1_der()))
            }
            "PRIVATE KEY" => {
                let Ok(key) = PrivatePkcs8KeyDer::from_pem_slice(pem.as_bytes()) else {
                    return Err(BadKey::Broken);
                };
                Self::accepted(RsaKeyPair::from_pkcs8(key.secret_pkcs8_der()))
            }
            label if label.ends_with("PUBLIC KEY") => Err(BadKey::Public),
            _ => Err(BadKey::NotRsa),
        }
    }

    fn accepted(pair: Result<RsaKeyPair, ring::error::KeyRejected>) -> Result<Self, BadKey> {
        pair.map(Self).map_err(|rejected| match rejected.to_string().as_str() {
            "WrongAlgorithm" => BadKey::NotRsa,
            "TooSmall" => BadKey::TooShort,
            _ => BadKey::Broken,
        })
    }

    /// Returns the signature (RSASSA-PKCS1-v1_5 with SHA-256, which JWTs call RS256).
    pub(super) fn sign(&self, message: &[u8]) -> Option<Vec<u8>> {
        let mut signature = vec![0; self.0.public().modulus_len()];
        let random = SystemRandom::new();
        self.0.sign(&RSA_PKCS1_SHA256, &random, message, &mut signature).ok().map(|()| signature)
    }
}
