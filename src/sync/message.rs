//! The messages of commits: subject, text, and the trailers by which a later run knows its own.
