//! Which paths of upstream may be written into a cousin.
