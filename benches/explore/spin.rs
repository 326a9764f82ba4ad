//! The same automata in Promela, for Spin if it is installed: a control location a place, an atomic statement a step.

use std::fmt::Write;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use super::seatlock::{Action, Seatlock};

/// A verifier that Spin wrote for one size and a C compiler has compiled.
pub(crate) struct Verifier {
    folder: TempDir,
    hash_bits: &'static str,
}

impl Verifier {
    /// None without Spin and a C compiler. `hash_bits` says how large its table is: one that fits the space is fastest.
    pub(crate) fn compile(model: &Seatlock, flags: &[&str], hash_bits: &'static str) -> Option<Self> {
        let folder = tempfile::tempdir().ok()?;
        fs::write(folder.path().join("seatlock.pml"), promela(model)).ok()?;
        // Without merging statements: what is a step here is one there.
        run(folder.path(), "spin", &["-o3", "-a", "seatlock.pml"])?;
        let common = ["-O3", "-w", "-DSAFETY", "-DMEMLIM=12000", "-o", "pan", "pan.c"];
        run(folder.path(), "gcc", &[&common[..], flags].concat())?;
        Some(Self { folder, hash_bits })
    }

    /// Its search: the number of states stored and the time that it took.
    pub(crate) fn explore(&self) -> Option<(usize, Duration)> {
        let began = Instant::now();
        // Whoever is done stays where it is, which is no invalid end.
        let out = run(self.folder.path(), "./pan", &["-E", "-m1000", self.hash_bits])?;
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

fn promela(model: &Seatlock) -> String {
    let (contenders, seats, left) = (model.size.contenders, model.size.seats, model.size.expiries);
    let mut text = format!("byte lock[{seats}], booking[{seats}], left = {left};\nbool script;\n");
    writeln!(text, "active [{contenders}] proctype contender() {{").expect("a string takes all");
    for (place, (action, seat)) in model.places.iter().enumerate() {
        let go = |guard: &str, effect: &str, place: u32| format!(" :: atomic {{ {guard} -> {effect} goto p{place} }}");
        let either = |what: &str, effect: &str, (yes, no)| {
            let is_free = go(&format!("{what}[{seat}] == 0"), effect, yes);
            format!("if{is_free}{} fi", go(&format!("{what}[{seat}] != 0"), "", no))
        };
        let takes = |what: &str| format!("{what}[{seat}] = _pid + 1;");
        let statement = match *action {
            Action::Pick(first) => {
                let ways = first[..seats as usize].iter().map(|place| format!(" :: skip; goto p{place}"));
                format!("if{} fi", ways.collect::<String>())
            }
            Action::Go(place) => format!("skip; goto p{place}"),
            Action::Lock { locked, refused } => either("lock", &takes("lock"), (locked, refused)),
            Action::Read { free, booked } => either("booking", "", (free, booked)),
            Action::Book { booked, refused } => either("booking", &takes("booking"), (booked, refused)),
            Action::Release(place) => {
                let script = if model.knows_script() { "script = 1;" } else { "" };
                let own = format!("lock[{seat}] == _pid + 1");
                let freed = go(&own, &format!("lock[{seat}] = 0; {script}"), place);
                format!("if{freed}{} fi", go(&format!("!({own})"), script, place))
            }
            Action::End => "false".to_owned(),
        };
        writeln!(text, "  p{place}: {statement};").expect("a string takes all");
    }
    text += "}\nactive proctype expiry() {\n  do\n";
    for seat in 0..seats {
        let is_held = format!("lock[{seat}] > 0 && left > 0");
        writeln!(text, "    :: atomic {{ {is_held} -> lock[{seat}] = 0; left-- }}").expect("a string takes all");
    }
    text + "  od\n}\n"
}
