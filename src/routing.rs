//! Which cousin asked for which of the changed paths. Pure: no client, no clock, no repository;
//! patterns and paths come in, a plan goes out, and the same input gives the same plan.

pub mod pattern;
