//! A bare repository of our own that borrows the objects of a cousin's clone: upstream is fetched
//! into it, trees and commits are written in it, and it is pushed from.
