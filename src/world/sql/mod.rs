//! The SQL store: multi-version tables, transactions, row locks, unique indexes.
