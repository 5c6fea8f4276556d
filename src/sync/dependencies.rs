//! What changed in the dependencies that a feature declares, read from the manifests of both sides:
//! for the text of a pull request. A manifest that cannot be read is said to have changed, no more.
