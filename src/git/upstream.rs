//! The repository that features come from: its one trusted branch, fetched without blobs and no
//! deeper than is needed, and of the trees and blobs only those of a feature.
