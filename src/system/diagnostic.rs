//! What is wrong with something that a user wrote: what, where, why, and how to mend it.
