//! Proves that a result holds what it should, from the trees alone, without asking how it was made.
