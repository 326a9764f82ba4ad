//! Tests that need a program which is not everywhere.

/// What was started, or `None` and a printed line where it may be missing. What the variable `SEATPROOF_REQUIRE`
/// lists, separated by commas, may not be missing.
pub(crate) fn started<T>(name: &str, start: Result<T, String>) -> Option<T> {
    let required = std::env::var("SEATPROOF_REQUIRE").unwrap_or_default();
    match start {
        Ok(started) => Some(started),
        Err(reason) if required.split(',').any(|required| required == name) => {
            panic!("{name} is required, but {reason}")
        }
        Err(reason) => {
            println!("skipped: {reason}");
            None
        }
    }
}
