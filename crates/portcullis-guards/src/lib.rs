//! One file a guard, one file a transform, and the two ordered lists.
