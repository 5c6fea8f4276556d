//! `ecosystem.lock.json`: which commit of which source each feature was last brought from. It is
//! written in the commit that brings the feature, so that the two cannot disagree.
