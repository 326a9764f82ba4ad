//! What scripts did before. No script leaves a trace in Lua, so what it does follows from its words and from the
//! replies that its commands get: a way through a script that was seen once need not run in Lua again. Its commands are
//! sent to the node as ever; only Lua is spared.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;
use std::sync::Arc;

use smallvec::SmallVec;
use xxhash_rust::xxh3::xxh3_64_with_seed;

use super::super::call::{Answer, Call};
use super::{Digest, sandbox};
use crate::world::argv::Argv;
use crate::world::reply::Reply;

/// Points that are remembered, at most, some 30 MB; then all are forgotten.
const POINTS_MAX: usize = 1 << 18;
/// Points of the ways through a script with the same words, at most; where they fork for ever, as behind TIME, the
/// first ones are remembered.
const POINTS_OF_WORDING_MAX: usize = 64;
/// Texts that are remembered; a model that builds script texts would add to them for ever.
const TEXTS_MAX: usize = 1_000;

thread_local! {
    static MEMO: RefCell<Memo> = RefCell::default();
}

/// A script's text and its name.
#[derive(Debug)]
pub(super) struct Script {
    pub(super) digest: Digest,
    pub(super) text: Arc<[u8]>,
}

/// The script of this text, whose digest is dear.
pub(super) fn script(text: &[u8]) -> Rc<Script> {
    MEMO.with_borrow_mut(|memo| {
        if let Some(script) = memo.scripts.get(text) {
            return Rc::clone(script);
        }
        if memo.scripts.len() >= TEXTS_MAX {
            memo.scripts.clear();
        }
        let text = Arc::<[u8]>::from(text);
        let script = Rc::new(Script { digest: sandbox::digest(&text), text: Arc::clone(&text) });
        memo.scripts.insert(text, Rc::clone(&script));
        script
    })
}

/// Runs the script of a call whose words are in their places for EVAL: by the memo as far as it knows the way, else
/// by `run`, which goes the known part of the way again with the commands and replies that it is given.
pub(super) fn run(
    call: &mut Call<'_>,
    digest: &Digest,
    run: impl FnOnce(&mut Call<'_>, &mut Trace) -> Answer,
) -> Answer {
    let hash = call.words_from(2).fold(xxh3_64_with_seed(digest, 0), |hash, word| xxh3_64_with_seed(word, hash));
    let way = MEMO.with_borrow(|memo| match memo.wordings.get(&hash) {
        Some(wording) if wording.is_of(digest, call) => wording.follow(call),
        _ => Err(Trace::default()),
    });
    let mut trace = match way {
        Ok(answer) => return answer,
        Err(trace) => trace,
    };
    let answer = run(call, &mut trace);
    if trace.is_whole() {
        MEMO.with_borrow_mut(|memo| memo.learn(hash, digest, call, trace, &answer));
    }
    answer
}

#[derive(Default)]
struct Memo {
    scripts: BTreeMap<Arc<[u8]>, Rc<Script>>,
    /// By the hash of script and words. Look-up only; its order decides nothing.
    wordings: HashMap<u64, Wording>,
    /// Of all wordings.
    points: usize,
}

impl Memo {
    fn learn(&mut self, hash: u64, digest: &Digest, call: &Call<'_>, trace: Trace, answer: &Answer) {
        if self.points > POINTS_MAX {
            self.wordings.clear();
            self.points = 0;
        }
        let new = || Wording { digest: *digest, words: Argv::new(call.words_from(2)), points: Vec::new() };
        let wording = self.wordings.entry(hash).or_insert_with(new);
        // Of two with one hash the first is remembered.
        if wording.is_of(digest, call) {
            self.points += wording.learn(trace.sent, answer);
        }
    }
}

/// A script with its keys and arguments, and the ways through it that were seen.
struct Wording {
    digest: Digest,
    /// The number of keys, keys and arguments.
    words: Argv,
    /// The first is where the script begins.
    points: Vec<Point>,
}

/// A point on the way through a script.
enum Point {
    /// The script sends this command, and goes on at the point that the reply leads to.
    Sends(Argv, SmallVec<[(Reply, usize); 1]>),
    /// The script ends.
    Ends(Answer),
}

impl Wording {
    fn is_of(&self, digest: &Digest, call: &Call<'_>) -> bool {
        self.digest == *digest && self.words.words().eq(call.words_from(2))
    }

    /// Sends the script's commands as far as the way is known: to its answer, or to a reply that was never met.
    fn follow(&self, call: &mut Call<'_>) -> Result<Answer, Trace> {
        let mut at = 0;
        let mut replies = SmallVec::<[(usize, Reply); 8]>::new();
        loop {
            let (argv, next) = match &self.points[at] {
                Point::Ends(answer) => return Ok(answer.clone()),
                Point::Sends(argv, next) => (argv, next),
            };
            let reply = super::execute(call.node, call.session, argv, call.now_us, call.removed);
            let known = next.iter().find(|(known, _)| *known == reply);
            let known = known.map(|(_, point)| *point);
            replies.push((at, reply));
            match known {
                Some(point) => at = point,
                None => return Err(self.trace(replies)),
            }
        }
    }

    fn trace(&self, replies: impl IntoIterator<Item = (usize, Reply)>) -> Trace {
        let sent = replies.into_iter().filter_map(|(at, reply)| match &self.points[at] {
            Point::Sends(argv, _) => Some((argv.clone(), reply)),
            Point::Ends(_) => None,
        });
        Trace { sent: sent.collect(), ..Trace::default() }
    }

    /// Adds a way to the known ones, if there is room; how many points are new.
    fn learn(&mut self, sent: Vec<(Argv, Reply)>, answer: &Answer) -> usize {
        let known = self.points.len();
        if known + sent.len() >= POINTS_OF_WORDING_MAX {
            return 0;
        }
        // Where the next point is led to from, if it is not the first.
        let mut from = None;
        let mut at = (!self.points.is_empty()).then_some(0);
        for (argv, reply) in sent {
            let here = at.unwrap_or_else(|| self.add(from.take(), Point::Sends(argv, SmallVec::new())));
            let Point::Sends(_, next) = &mut self.points[here] else { break };
            at = next.iter().find(|(known, _)| *known == reply).map(|(_, point)| *point);
            from = Some((here, reply));
        }
        if at.is_none() {
            self.add(from, Point::Ends(answer.clone()));
        }
        self.points.len() - known
    }

    /// Adds a point, and the way to it: another point and the reply there.
    fn add(&mut self, from: Option<(usize, Reply)>, point: Point) -> usize {
        let new = self.points.len();
        self.points.push(point);
        if let Some((from, reply)) = from
            && let Point::Sends(_, next) = &mut self.points[from]
        {
            next.push((reply, new));
        }
        new
    }
}

/// The commands of one run of a script.
#[derive(Default)]
pub(super) struct Trace {
    /// With their replies, in order.
    sent: Vec<(Argv, Reply)>,
    /// How many of them the run has come to; those that it has yet to come to took effect before it began.
    heard: usize,
    /// The run does not follow from words and replies alone.
    is_loose: bool,
    has_strayed: bool,
}

impl Trace {
    /// The reply to the run's next command, if it took effect before the run began.
    pub(super) fn heard_before(&mut self, argv: &Argv) -> Option<Reply> {
        let (known, reply) = self.sent.get(self.heard)?;
        self.heard += 1;
        self.has_strayed |= known != argv;
        Some(reply.clone())
    }

    /// The run's next command took effect.
    pub(super) fn add(&mut self, argv: &Argv, reply: &Reply) {
        if self.sent.len() < POINTS_OF_WORDING_MAX {
            self.sent.push((argv.clone(), reply.clone()));
        } else {
            self.is_loose = true;
        }
        self.heard += 1;
    }

    /// What the run does from here on does not follow from its words and replies alone.
    pub(super) fn loosen(&mut self) {
        self.is_loose = true;
    }

    /// True when the run sent another command than the same script with the same words and replies before it.
    pub(super) fn has_strayed(&self) -> bool {
        self.has_strayed || self.heard < self.sent.len()
    }

    fn is_whole(&self) -> bool {
        !self.is_loose && !self.has_strayed()
    }
}
