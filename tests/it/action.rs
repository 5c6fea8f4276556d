//! The GitHub Action. No runner is at hand, so `runner` stands in for one: it reads `action.yml`,
//! sets what Actions would set, and runs the steps' scripts under bash. `install` is about which
//! program gets there and from where, `verification` and `attestation` about what is checked,
//! `cache` about what is kept, `inputs` about what the program is told, `run` about the program
//! itself against the embedded GitHub. The scripts of the action are bash on
//! every system, but the stand-ins for its tools are Unix programs; CI runs the action itself on
//! each system.

#[cfg(unix)]
mod attestation;
#[cfg(unix)]
mod cache;
#[cfg(unix)]
mod inputs;
#[cfg(unix)]
mod install;
#[cfg(unix)]
mod releases;
#[cfg(unix)]
mod run;
#[cfg(unix)]
mod runner;
#[cfg(unix)]
mod verification;
