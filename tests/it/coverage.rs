//! What a search exercised: who was at work, what came of it, what never happened, and that all engines see the same.

use std::num::NonZeroUsize;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use seatproof::engines::explore::{Options, Reductions, explore};
use seatproof::engines::verdict::Exploration;
use seatproof::engines::{loom, reference, shuttle};
use seatproof::process::{Ctx, Flow, Request, Response};
use seatproof::report::{Signs, coverage};
use seatproof::system::Setting;
use seatproof::system::exercised::{Came, Exercised, What, Who};
use seatproof::system::model::{Handler, Job, Journey, Model};
use seatproof::system::state::Budgets;

static OWN: Model = Model {
    name: "own",
    schema: "CREATE TABLE seats (id bigint PRIMARY KEY, n bigint NOT NULL);",
    journeys: &[Journey { name: "buy", about: "Has a seat taken.", run: |ctx| Box::pin(buy(ctx)) }],
    handlers: &[
        Handler { route: "POST /seats", run: |ctx, _| Box::pin(take(ctx)) },
        Handler { route: "GET /seats", run: |_, _| Box::pin(async { Response::new(200, 100) }) },
    ],
    jobs: &[Job { name: "sweep", about: "Nothing.", period_us: 1_000_000, run: |ctx| Box::pin(sweep(ctx)) }],
    ..Model::BARE
};

async fn buy(mut ctx: Ctx) -> Flow {
    let _ = ctx.call(Request::new("POST /seats", "take", 100)).await;
    Flow::Done
}

async fn take(mut ctx: Ctx) -> Response {
    ctx.label("T1");
    let set = ctx.redis(["SET", "seat:1", "1", "NX"]).await;
    if set != Ok(seatproof::world::reply::Reply::OK) {
        return Response::new(409, 100);
    }
    ctx.label("T2");
    let _ = ctx.sql("UPDATE seats SET n = 1 WHERE id = 1", []).await;
    Response::new(201, 100)
}

async fn sweep(mut ctx: Ctx) -> Flow {
    let _ = ctx.redis(["DEL", "seat:1"]).await;
    Flow::Done
}

fn setting(clients: usize) -> Rc<Setting> {
    let budgets = Budgets { lose_reply: 1, evict: 1, ..Budgets::default() };
    Rc::new(Setting { budgets, jobs: vec![0], ..Setting::of(&OWN, &vec!["buy"; clients]) })
}

fn explored(setting: &Rc<Setting>, reduction: bool) -> Exploration {
    let options = Options {
        max_states: usize::MAX,
        max_bytes: None,
        threads: NonZeroUsize::MIN,
        reductions: Reductions::all_if(reduction),
        exact: false,
        final_states: false,
    };
    explore(setting, options, &AtomicBool::new(false)).expect("explorable").exploration
}

#[test]
fn every_engine_that_sees_everything_sees_the_same() {
    let setting = setting(2);
    let oracle = reference::explore(&setting, usize::MAX, &AtomicBool::new(false)).expect("explorable").exercised;
    let post = Who::Handler("POST /seats");
    for what in [
        What::Label("T1"),
        What::Label("T2"),
        What::Answer(201),
        What::Answer(409),
        What::Redis("set", Came::Status),
        What::Redis("set", Came::Nil),
        What::Sql("UPDATE seats SET n = 1 WHERE id = 1", Came::NoRows),
    ] {
        assert!(oracle.events.contains(&(post, what)), "{what:?}");
    }
    assert!(oracle.events.iter().all(|(who, _)| *who == post), "clients only call, and no job runs: {oracle:?}");
    assert!(oracle.faults.iter().copied().eq(["evict", "lose_reply"]), "{oracle:?}");
    assert_eq!(explored(&setting, false).exercised, oracle);
    assert_eq!(explored(&setting, true).exercised, oracle, "what is left out makes no difference");
    let never = Arc::new(AtomicBool::new(false));
    assert_eq!(shuttle::explore(&setting, usize::MAX, &never).expect("explorable").exercised, oracle);
    let options = loom::Options { preemptions: None, max_permutations: u64::MAX };
    assert_eq!(loom::explore(&setting, options, &never).expect("explorable").exercised, oracle);
    let options = shuttle::Options {
        scheduler: shuttle::Scheduler::Random,
        seed: 1,
        executions: 200,
        max_steps: 1_000,
        threads: NonZeroUsize::MIN,
    };
    let sampled = shuttle::sample(&setting, options, &never).expect("the model is right");
    assert_eq!(sampled.exercised, oracle, "two hundred executions of something so small meet everything");
}

#[test]
fn what_never_happened_is_named() {
    let budgets = Budgets { lose_reply: 1, commit_unknown: 1, ..Budgets::default() };
    let no_commit = Rc::new(Setting { budgets, ..Setting::clone(&setting(1)) });
    let alone = explored(&no_commit, true).exercised;
    let text = coverage::text(&no_commit, &[("explore", alone.clone())], Signs::UTF8);
    assert!(text.contains("POST /seats               T1 T2; answers 201, 409; SET: OK, no reply; UPDATE"), "{text}");
    assert!(text.contains("what befell them          lose_reply"), "{text}");
    assert!(text.contains("∅ vacuous  fault commit_unknown: allowed, and nothing ever came of it"), "{text}");
    assert!(text.contains("never called  GET /seats"), "{text}");
    assert!(!text.contains("sweep"), "the setting allows the job no run: {text}");
    let with_job = Setting { jobs: vec![1], ..Setting::clone(&setting(1)) };
    let text = coverage::text(&with_job, &[("explore", alone.clone())], Signs::UTF8);
    assert!(text.contains("∅ vacuous  job sweep"), "{text}");
    let both = [("explore", alone.clone()), ("shuttle", explored(&setting(2), true).exercised)];
    let text = coverage::text(&setting(2), &both, Signs::UTF8);
    let (_, beyond) = text.split_once("exercised by shuttle beyond that").expect("two clients exercise more");
    assert!(beyond.contains("SET: nil") && !beyond.contains("T2"), "only what is new: {beyond}");
    let same = coverage::text(&setting(1), &[("explore", alone.clone()), ("loom", alone)], Signs::UTF8);
    assert!(!same.contains("loom"), "{same}");
    assert_eq!(coverage::text(&setting(1), &[], Signs::UTF8), "");
    assert!(Exercised::default().is_empty());
}
