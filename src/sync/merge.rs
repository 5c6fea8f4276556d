//! The three-way merge of a directory: what upstream changed goes into what the cousin has.
