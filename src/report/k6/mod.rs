//! k6's end-of-test summary and its JSON files, byte for byte.
