//! The same model in Promela, for Spin if it is installed: each operation one atomic step, as here.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use super::seatlock::Size;

/// A verifier that Spin wrote for one size and a C compiler has compiled.
pub(crate) struct Verifier {
    folder: TempDir,
    hash_bits: &'static str,
}

impl Verifier {
    /// None without Spin and a C compiler. `hash_bits` says how large its table is: one that fits the space is fastest.
    pub(crate) fn compile(size: Size, is_reduced: bool, hash_bits: &'static str) -> Option<Self> {
        let folder = tempfile::tempdir().ok()?;
        fs::write(folder.path().join("seatlock.pml"), promela(size)).ok()?;
        run(folder.path(), "spin", &["-a", "seatlock.pml"])?;
        let mut flags = vec!["-O3", "-w", "-DSAFETY", "-DMEMLIM=8000", "-o", "pan", "pan.c"];
        if !is_reduced {
            flags.push("-DNOREDUCE");
        }
        run(folder.path(), "gcc", &flags)?;
        Some(Self { folder, hash_bits })
    }

    /// Its search: the number of states stored and the time that it took.
    pub(crate) fn explore(&self) -> Option<(usize, Duration)> {
        let began = Instant::now();
        let out = run(self.folder.path(), "./pan", &["-m1000", self.hash_bits])?;
        let elapsed = began.elapsed();
        let stored = out.lines().find_map(|line| line.trim().strip_suffix(" states, stored"))?;
        Some((stored.trim().parse().ok()?, elapsed))
    }
}

fn run(folder: &Path, program: &str, args: &[&str]) -> Option<String> {
    let program = if program.starts_with("./") { folder.join(program) } else { program.into() };
    let out = Command::new(program).args(args).current_dir(folder).output().ok()?;
    Some(String::from_utf8_lossy(&out.stdout).into_owned())
}

fn promela(size: Size) -> String {
    let Size { contenders, seats, expiries } = size;
    let choices = (0..seats).map(|seat| format!("    :: seat = {seat}\n")).collect::<String>();
    let expire = (0..seats)
        .map(|seat| format!("    :: atomic {{ lock[{seat}] > 0 && left > 0 -> lock[{seat}] = 0; left-- }}\n"))
        .collect::<String>();
    format!(
        "byte lock[{seats}], booking[{seats}], left = {expiries};\n\
         bool script;\n\
         active [{contenders}] proctype contender() {{\n\
           byte seat, step;\n\
           if\n{choices}    fi;\n\
           if\n\
             :: atomic {{ lock[seat] == 0 -> lock[seat] = _pid + 1 }}\n\
             :: atomic {{ lock[seat] != 0 -> step = 1; goto done }}\n\
           fi;\n\
           if\n\
             :: atomic {{ booking[seat] == 0 -> skip }}\n\
             :: atomic {{ booking[seat] != 0 -> step = 2; goto release }}\n\
           fi;\n\
           if\n\
             :: atomic {{ booking[seat] == 0 -> booking[seat] = _pid + 1; step = 3 }}\n\
             :: atomic {{ booking[seat] != 0 -> step = 4 }}\n\
           fi;\n\
         release:\n\
           if\n\
             :: atomic {{ lock[seat] == _pid + 1 -> lock[seat] = 0; script = 1; step = 0; seat = 0 }}\n\
             :: atomic {{ lock[seat] != _pid + 1 -> script = 1; step = 0; seat = 0 }}\n\
           fi;\n\
         done: seat = 0\n\
         }}\n\
         active proctype expiry() {{\n\
           end: do\n{expire}    od\n\
         }}\n"
    )
}
