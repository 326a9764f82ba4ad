//! The Lua state that scripts run in: one per thread, and no script leaves a trace in it.
//!
//! While a script runs, the node is moved into the state's host, where `redis.call` finds it.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

use mlua::{Function, HookTriggers, Lua, LuaOptions, LuaString, MultiValue, StdLib, Table, Value, VmState};

use super::super::Redis;
use super::super::call::{Answer, Call};
use super::super::errors::{CommandError, NO_ANSWER, one_line};
use super::convert::{argument, field, from_lua, to_lua};
use super::memo::Trace;
use super::prelude::PRELUDE;
use super::problem::{PRELUDE_CHUNK, explain, locate, raised};
use super::{Digest, hexadecimal};
use crate::world::argv::{Argv, ByteString};
use crate::world::identity::SessionId;
use crate::world::reply::Reply;

/// A script may run so many instructions: about a second's worth, where real ones run hundreds.
const INSTRUCTIONS_MAX: u32 = 50_000_000;
/// How often they are counted.
const INSTRUCTIONS_PER_CHECK: u32 = 1_000;
/// Memory of one state in bytes; `string.rep` could ask for all there is.
const MEMORY_BYTES_MAX: usize = 256 * 1024 * 1024;
/// Compiled scripts that a state keeps; a model that builds script texts would grow it for ever.
const COMPILED_MAX: usize = 1_000;
/// The reply to a script that does not follow from its words and the replies it gets.
const STRAYED: &str = "ERR with the same words and replies the script sent other commands than before; does it walk \
                       through a table whose keys are tables or functions?";
/// The chunk name of Redis.
const CHUNK: &str = "@user_script";

thread_local! {
    static SANDBOX: RefCell<Option<Sandbox>> = const { RefCell::new(None) };
}

/// Lends the thread's state, a new one if the last was given up.
pub(super) fn with<T>(visit: impl FnOnce(&mut Sandbox) -> Result<T, CommandError>) -> Result<T, CommandError> {
    // Taken out, so that a panic on the way leaves no half-used state behind.
    let mut sandbox = SANDBOX.take().map_or_else(Sandbox::new, Ok).map_err(|error| broken(&error))?;
    let outcome = visit(&mut sandbox);
    if sandbox.is_sound {
        SANDBOX.set(Some(sandbox));
    }
    outcome
}

/// SHA-1 of a text.
pub(super) fn digest(text: &[u8]) -> Digest {
    sha1_smol::Sha1::from(text).digest().bytes()
}

/// What a script works on.
struct Host {
    node: Redis,
    now_us: u64,
    session: SessionId,
    removed: Vec<(ByteString, ByteString)>,
    trace: Trace,
}

type SharedHost = Rc<RefCell<Option<Host>>>;

/// A Lua state ready for scripts.
pub(super) struct Sandbox {
    lua: Lua,
    visible: Table,
    run: Function,
    host: SharedHost,
    checks: Rc<Cell<u32>>,
    compiled: BTreeMap<Digest, Function>,
    is_sound: bool,
}

/// The end of a script that runs too long; no `pcall` may catch it.
#[derive(Debug, thiserror::Error)]
#[error("the script was stopped after {INSTRUCTIONS_MAX} instructions; it may loop for ever")]
struct Endless;

impl Sandbox {
    fn new() -> mlua::Result<Self> {
        let lua = Lua::new_with(StdLib::STRING | StdLib::TABLE | StdLib::MATH, LuaOptions::default())?;
        lua.set_memory_limit(MEMORY_BYTES_MAX)?;
        let host = SharedHost::default();
        let strings = lua.create_table()?;
        lua.set_type_metatable::<LuaString>(Some(strings.clone()));
        let prelude = lua.load(PRELUDE).set_name(PRELUDE_CHUNK).into_function()?;
        let functions = host_functions(&lua, &host)?;
        let (globals, visible, run) = prelude.call::<(Table, Table, Function)>((functions, lua.globals(), strings))?;
        lua.set_globals(globals)?;
        let checks = Rc::new(Cell::new(0));
        let count = Rc::clone(&checks);
        lua.set_hook(HookTriggers::new().every_nth_instruction(INSTRUCTIONS_PER_CHECK), move |_, _| {
            count.set(count.get() + 1);
            if count.get() > INSTRUCTIONS_MAX / INSTRUCTIONS_PER_CHECK {
                return Err(mlua::Error::external(Endless));
            }
            Ok(VmState::Continue)
        })?;
        Ok(Self { lua, visible, run, host, checks, compiled: BTreeMap::new(), is_sound: true })
    }

    /// The script as a function, compiled once.
    pub(super) fn compile(&mut self, digest: &Digest, text: &[u8]) -> Result<Function, CommandError> {
        if let Some(function) = self.compiled.get(digest) {
            return Ok(function.clone());
        }
        let refused = |reason: &str| {
            CommandError::Script(one_line(format!("ERR Error compiling script (new function): {reason}").as_bytes()))
        };
        if text.starts_with(b"#!") {
            return Err(CommandError::Script(format!("{NO_ANSWER}Redis runs no script with a `#!` line").into()));
        }
        if text.first() == Some(&b'\x1b') {
            return Err(refused("bytecode is not accepted"));
        }
        let function = self.lua.load(text).set_name(CHUNK).into_function().map_err(|error| match &error {
            mlua::Error::SyntaxError { message, .. } => refused(message),
            other => refused(&other.to_string()),
        })?;
        if self.compiled.len() >= COMPILED_MAX {
            self.compiled.clear();
        }
        self.compiled.insert(*digest, function.clone());
        Ok(function)
    }

    /// Runs a compiled script on the node of `call`, whose words are in their places for EVAL. The commands in `trace`
    /// have taken effect already; it receives the others.
    pub(super) fn run(
        &mut self,
        call: &mut Call<'_>,
        digest: &Digest,
        function: &Function,
        keys: usize,
        trace: &mut Trace,
    ) -> Answer {
        self.checks.set(0);
        self.host.replace(Some(Host {
            node: std::mem::take(call.node),
            now_us: call.now_us,
            session: call.session,
            removed: std::mem::take(call.removed),
            trace: std::mem::take(trace),
        }));
        let outcome = self.run_hosted(call, function, keys);
        let host = self.host.take().expect("the host was put there for the script");
        (*call.node, *call.removed, *trace) = (host.node, host.removed, host.trace);
        let answer = self.answer(outcome, digest);
        if !self.is_sound {
            trace.loosen();
        }
        if trace.has_strayed() { Err(CommandError::Script(STRAYED.into())) } else { answer }
    }

    fn answer(&mut self, outcome: mlua::Result<(bool, Value)>, digest: &Digest) -> Answer {
        match outcome {
            Ok((true, value)) => from_lua(&value, 0).map_err(|error| broken(&error)),
            Ok((false, problem)) => Err(self.failure(&problem, digest)),
            Err(error) => {
                self.is_sound = false;
                Err(broken(&error))
            }
        }
    }

    fn run_hosted(&self, call: &Call<'_>, function: &Function, keys: usize) -> mlua::Result<(bool, Value)> {
        let words = |from: usize, to: usize| -> mlua::Result<Table> {
            let table = self.lua.create_table_with_capacity(to - from, 0)?;
            for index in from..to {
                table.raw_push(self.lua.create_string(call.word(index))?)?;
            }
            Ok(table)
        };
        self.visible.raw_set("KEYS", words(3, 3 + keys)?)?;
        self.visible.raw_set("ARGV", words(3 + keys, call.len())?)?;
        self.run.call((function, ()))
    }

    /// The reply to a script that failed.
    fn failure(&mut self, problem: &Value, digest: &Digest) -> CommandError {
        let Value::Table(table) = problem else {
            // Memory ran out, or the script ran too long: what is left in the state is not worth keeping.
            self.is_sound = false;
            return match problem {
                Value::Error(error) => match error.downcast_ref::<Endless>() {
                    Some(endless) => CommandError::Script(format!("ERR {endless}").into()),
                    None => broken(error),
                },
                other => CommandError::Script(format!("ERR script failed with a {}", other.type_name()).into()),
            };
        };
        let Ok(Value::String(text)) = table.get("err") else {
            let text = "ERR script failed with a table that has no `err`, which crashes a Redis 7.0 server";
            return CommandError::Script(text.into());
        };
        let mut text = text.as_bytes().to_vec();
        if let (Ok(source), Ok(line)) = (table.get::<String>("source"), table.get::<i64>("line")) {
            text.extend(format!(" script: {}, on {source}:{line}.", hexadecimal(digest)).bytes());
        }
        CommandError::Script(one_line(&text))
    }
}

fn broken(error: &mlua::Error) -> CommandError {
    CommandError::Script(one_line(format!("{NO_ANSWER}script engine gave up: {error}").as_bytes()))
}

/// What the prelude needs from this side.
fn host_functions(lua: &Lua, host: &SharedHost) -> mlua::Result<Table> {
    let functions = lua.create_table()?;
    functions.set("locate", lua.create_function(locate)?)?;
    functions.set("explain", lua.create_function(explain)?)?;
    let shared = Rc::clone(host);
    functions.set("random", lua.create_function(move |_, range: MultiValue| random(&shared, &range))?)?;
    let shared = Rc::clone(host);
    functions.set(
        "randomseed",
        lua.create_function(move |_, seed: f64| {
            with_host(&shared, |host| {
                host.trace.loosen();
                host.node.random.seed(wrapped(seed));
            });
            Ok(())
        })?,
    )?;
    functions.set("redis", redis_library(lua, host)?)?;
    Ok(functions)
}

/// C's conversion of a double to a 32-bit integer, for seeds of usual size.
fn wrapped(number: f64) -> u32 {
    let low = (number.trunc()).rem_euclid(4_294_967_296.0);
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the remainder fits")]
    if low.is_finite() { low as u32 } else { 0 }
}

fn with_host<T>(host: &SharedHost, visit: impl FnOnce(&mut Host) -> T) -> T {
    visit(host.borrow_mut().as_mut().expect("functions of the host run in scripts only"))
}

/// `math.random` as Redis replaces it.
fn random(host: &SharedHost, range: &MultiValue) -> mlua::Result<f64> {
    const MAX: u32 = i32::MAX.unsigned_abs();
    let number = with_host(host, |host| {
        host.trace.loosen();
        host.node.random.next()
    });
    let part = f64::from(number % MAX) / f64::from(MAX);
    let bound = |index: usize| -> mlua::Result<f64> {
        match range.get(index) {
            Some(Value::Integer(number)) => Ok(*number as f64),
            Some(Value::Number(number)) => Ok(number.floor()),
            _ => Err(raised("math.random takes numbers")),
        }
    };
    let (low, high) = match range.len() {
        0 => return Ok(part),
        1 => (1.0, bound(0)?),
        2 => (bound(0)?, bound(1)?),
        _ => return Err(raised("wrong number of arguments")),
    };
    if low > high {
        return Err(raised("bad argument to 'random' (interval is empty)"));
    }
    Ok((part * (high - low + 1.0)).floor() + low)
}

fn redis_library(lua: &Lua, host: &SharedHost) -> mlua::Result<Table> {
    let redis = lua.create_table()?;
    let format: Function = lua.globals().get::<Table>("string")?.get("format")?;
    let (shared, number_format) = (Rc::clone(host), format.clone());
    redis.set(
        "call",
        lua.create_function(move |lua, words: MultiValue| match command(&shared, &number_format, &words)? {
            Reply::Error(text) => Err(raised(text)),
            reply => to_lua(lua, &reply),
        })?,
    )?;
    let shared = Rc::clone(host);
    redis.set(
        "pcall",
        lua.create_function(move |lua, words: MultiValue| to_lua(lua, &command(&shared, &format, &words)?))?,
    )?;
    redis.set("error_reply", lua.create_function(|lua, words| single_field(lua, &words, "err"))?)?;
    redis.set("status_reply", lua.create_function(|lua, words| single_field(lua, &words, "ok"))?)?;
    redis.set("sha1hex", lua.create_function(sha1hex)?)?;
    redis.set("replicate_commands", lua.create_function(|_, ()| Ok(true))?)?;
    redis.set("log", lua.create_function(|_, _: MultiValue| Ok(()))?)?;
    redis.set("set_repl", lua.create_function(|_, _: MultiValue| Ok(()))?)?;
    let levels = [("LOG_DEBUG", 0), ("LOG_VERBOSE", 1), ("LOG_NOTICE", 2), ("LOG_WARNING", 3)];
    let targets = [("REPL_NONE", 0), ("REPL_AOF", 1), ("REPL_SLAVE", 2), ("REPL_REPLICA", 2), ("REPL_ALL", 3)];
    for (name, number) in levels.into_iter().chain(targets) {
        redis.set(name, number)?;
    }
    redis.set("REDIS_VERSION", "7.0.15")?;
    redis.set("REDIS_VERSION_NUM", 0x0007_000F)?;
    Ok(redis)
}

/// Runs one command of a script.
fn command(host: &SharedHost, format: &Function, words: &MultiValue) -> mlua::Result<Reply> {
    if words.is_empty() {
        return Ok(Reply::error("ERR Please specify at least one argument for this redis lib call"));
    }
    let mut argv = Argv::default();
    for word in words {
        match word {
            Value::String(text) => argv.push(&text.as_bytes()),
            number => match argument(number, format)? {
                Some(bytes) => argv.push(&bytes),
                None => return Ok(Reply::error("ERR Lua redis lib command arguments must be strings or integers")),
            },
        }
    }
    Ok(with_host(host, |host| host.execute(&argv)))
}

impl Host {
    fn execute(&mut self, argv: &Argv) -> Reply {
        if let Some(reply) = self.trace.heard_before(argv) {
            return reply;
        }
        let Self { node, now_us, session, removed, trace } = self;
        let reply = super::execute(node, *session, argv, *now_us, removed);
        trace.add(argv, &reply);
        reply
    }
}

/// `redis.error_reply` and `redis.status_reply`.
fn single_field(lua: &Lua, words: &MultiValue, name: &str) -> mlua::Result<Table> {
    let (Some(Value::String(text)), 1) = (words.front(), words.len()) else {
        return field(lua, "err", "ERR wrong number or type of arguments");
    };
    let bytes = text.as_bytes();
    let table = lua.create_table_with_capacity(0, 1)?;
    if name == "err" {
        let bytes = bytes.strip_prefix(b"-").unwrap_or(&bytes);
        // Without a space there is no error code in front.
        let code: &[u8] = if bytes.contains(&b' ') { b"" } else { b"ERR " };
        table.raw_set(name, lua.create_string([code, bytes].concat())?)?;
    } else {
        table.raw_set(name, text)?;
    }
    Ok(table)
}

/// `redis.sha1hex(text)`
fn sha1hex(lua: &Lua, words: MultiValue) -> mlua::Result<String> {
    if words.len() != 1 {
        return Err(raised("ERR wrong number of arguments"));
    }
    let text = words.front().and_then(|word| lua.coerce_string(word.clone()).ok().flatten());
    Ok(hexadecimal(&digest(text.map(|text| text.as_bytes().to_vec()).unwrap_or_default().as_slice())))
}
