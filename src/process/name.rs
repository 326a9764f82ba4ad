//! Names by which models call things: routes, fields, parameters, metrics.

/// True when two names are equal. Nearly all are literals, of which equal ones mostly lie in one place: then their
/// letters need not be compared, which is a call.
#[inline(always)]
pub(crate) fn is_same(name: &str, other: &str) -> bool {
    name.len() == other.len() && (std::ptr::eq(name, other) || name == other)
}
