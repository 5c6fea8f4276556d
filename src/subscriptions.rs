//! `subscriptions.json`: what a cousin follows, where it puts it and how. Bytes come in; a validated
//! `Subscriptions` or every error of the file goes out.
