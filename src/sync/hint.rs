//! What a `repository_dispatch` event claims: feature, commit, dispatch id. Only its grammar is
//! judged here; whether it is true is found out upstream.
