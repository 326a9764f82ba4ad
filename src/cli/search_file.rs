//! The file in which a search is kept that was cut short, and from which it goes on.

use std::path::{Path, PathBuf};

use xxhash_rust::xxh3::{Xxh3, xxh3_128};

use super::console::Console;
use crate::engines::explore::Reductions;
use crate::engines::verdict::Bound;
use crate::system::Setting;
use crate::system::diagnostic::write::write_file;
use crate::system::diagnostic::{Diagnostic, code};
use crate::system::fingerprint::Fingerprint;
use crate::system::schedule::SettingText;

/// Directory of kept searches unless another one is named.
pub(super) const SEARCHES: &str = "seatproof-searches";

/// First in each file, and behind it the number of the format.
const MAGIC: &[u8] = b"seatproof search ";
const FORMAT: &[u8] = b"1\n";
/// Behind it: what the search belongs to, and a hash of what follows.
const HASH_BYTES: usize = 16;

/// Where the search of one check is kept.
#[derive(Debug)]
pub(super) struct SearchFile {
    path: PathBuf,
    /// Of the program, the setting and the options: all that numbers depend on.
    identity: [u8; HASH_BYTES],
}

impl SearchFile {
    pub(super) fn of(
        directory: &Path,
        check: &str,
        setting: &Setting,
        reductions: Reductions,
    ) -> Result<Self, Diagnostic> {
        let properties = setting.properties.iter().map(|property| property.name).collect::<Vec<_>>();
        let what = format!("{:?} {properties:?} {reductions:?}", SettingText::of(setting));
        let identity = Fingerprint::of(&(build()?, what)).0.to_le_bytes();
        Ok(Self { path: directory.join(format!("{}-{check}.search", setting.model.name)), identity })
    }

    /// The search that was kept, if one was.
    pub(super) fn read(&self, console: &Console) -> Result<Option<Vec<u8>>, Diagnostic> {
        let bytes = match std::fs::read(&self.path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => {
                let message = format!("`{}` cannot be read: {error}", self.path.display());
                return Err(Diagnostic::error(&code::FILE_UNREADABLE, message).help(DELETE));
            }
        };
        let damaged = || {
            let message = format!("`{}` is no complete search", self.path.display());
            Diagnostic::error(&code::SEARCH_DAMAGED, message).help(DELETE)
        };
        let rest = bytes.strip_prefix(MAGIC).ok_or_else(damaged)?;
        let Some(rest) = rest.strip_prefix(FORMAT) else {
            let is_other = rest.iter().take_while(|byte| **byte != b'\n').all(u8::is_ascii_digit);
            return Err(if is_other && rest.contains(&b'\n') { self.foreign() } else { damaged() });
        };
        let (identity, rest) = rest.split_first_chunk::<HASH_BYTES>().ok_or_else(damaged)?;
        let (hash, search) = rest.split_first_chunk::<HASH_BYTES>().ok_or_else(damaged)?;
        if xxh3_128(search).to_le_bytes() != *hash {
            return Err(damaged());
        }
        if *identity != self.identity {
            return Err(self.foreign());
        }
        console.note(&format!("going on with the search in {}", self.path.display()));
        Ok(Some(search.to_vec()))
    }

    /// The search in the file belongs to something else.
    pub(super) fn foreign(&self) -> Diagnostic {
        let message = format!("`{}` holds a search of other bounds, options, or another program", self.path.display());
        Diagnostic::error(&code::SEARCH_FOREIGN, message).help(DELETE)
    }

    /// Keeps a search that was cut short at this bound; one that is done leaves no file.
    pub(super) fn keep(
        &self,
        search: Option<&[u8]>,
        bound: Option<&Bound>,
        console: &Console,
    ) -> Result<(), Diagnostic> {
        let Some(search) = search else {
            // There may never have been one.
            let _ = std::fs::remove_file(&self.path);
            return Ok(());
        };
        let directory = self.path.parent().unwrap_or(Path::new("."));
        std::fs::create_dir_all(directory).map_err(|error| {
            let message = format!("directory `{}` cannot be made: {error}", directory.display());
            Diagnostic::error(&code::OUTPUT, message).help("name another one with --resume=DIR")
        })?;
        let hash = xxh3_128(search).to_le_bytes();
        write_file(&self.path, [MAGIC, FORMAT, &self.identity, &hash, search].concat())?;
        console.note(&format!("kept the search in {}", self.path.display()));
        console.note(match bound {
            // At the same bound it would stop where it is.
            Some(Bound::States(_)) => "next  the same command goes on with it, with more states: --max-states N",
            Some(Bound::Memory(_)) => "next  the same command goes on with it, with more memory: --max-memory SIZE",
            _ => "next  the same command goes on with it",
        });
        Ok(())
    }
}

const DELETE: &str = "delete the file to begin anew, or name another directory with --resume=DIR";

/// A hash of the program itself: the numbers in a search are those of its models.
fn build() -> Result<u128, Diagnostic> {
    let refused = |error: std::io::Error| {
        Diagnostic::error(&code::FILE_UNREADABLE, format!("the program cannot read itself: {error}"))
            .help("without that nobody knows whether a search is of the same program: leave out --resume")
    };
    let mut program = std::fs::File::open(std::env::current_exe().map_err(refused)?).map_err(refused)?;
    let mut hash = Hash(Xxh3::new());
    std::io::copy(&mut program, &mut hash).map_err(refused)?;
    Ok(hash.0.digest128())
}

/// What is written is hashed.
struct Hash(Xxh3);

impl std::io::Write for Hash {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
