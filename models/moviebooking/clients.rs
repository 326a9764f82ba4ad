//! The clients: the measured k6 script, and the short journeys that exploration uses.

use super::confirm::CONFIRM;
use super::{LOCK, RELEASE};
use crate::process::{Ctx, Drawn, Flow, Mark, Note, Request, Response};
use crate::system::model::Journey;
use crate::world::value::Value;

pub(super) const SETUP: Journey = Journey {
    name: "setup",
    about: "k6's setup(): four GET requests for what the test needs to know.",
    run: |ctx| Box::pin(setup(ctx)),
};

pub(super) const JOURNEYS: [Journey; 4] = [
    Journey {
        name: "contend",
        about: "The measured k6 script: lock one to three random seats, hold, release, think.",
        run: |ctx| Box::pin(contend(ctx)),
    },
    Journey { name: "lock_release", about: "LOCK; after a 201, RELEASE.", run: |ctx| Box::pin(lock_release(ctx)) },
    Journey {
        name: "lock_confirm",
        about: "LOCK; after a 201, CONFIRM as a signed-in user, once more if no answer comes.",
        run: |ctx| Box::pin(lock_confirm(ctx, None)),
    },
    Journey {
        name: "lock_confirm_guest",
        about: "The same as a guest whose e-mail is new to the service.",
        run: |ctx| Box::pin(lock_confirm(ctx, Some("guest@example.org"))),
    },
];

async fn setup(mut ctx: Ctx) -> Flow {
    for route in ["GET /movies", "GET /showtimes", "GET /ticket-types", "GET /showtime-seats"] {
        // The script goes on whatever these answer; the metrics show it.
        let _ = ctx.call(Request::new(route, "setup", 180)).await;
    }
    Flow::Done
}

async fn contend(mut ctx: Ctx) -> Flow {
    let session = session(&mut ctx);
    let per_request = ctx.params().range("seats_per_request");
    let count = ctx.draw_between("seat_count", per_request).await;
    let of = ctx.params().get("seats");
    let seats = draw_seats(&mut ctx, count, of).await;
    match ctx.call(lock_request(&session, &seats)).await {
        Ok(response) if response.status == 201 => {
            let is_valid = *response.get("lock") != Value::Null;
            let is_complete = matches!(response.get("seats"), Value::List(locked) if locked.len() == seats.len());
            attempted(&mut ctx, "seat_lock_success", true);
            ctx.note(Note::Check("lock object is valid", is_valid));
            ctx.note(Note::Check("locked seat count is correct", is_complete));
            told(&mut ctx, &seats, &response);
            let hold = ctx.params().range("hold");
            let hold_us = ctx.draw_duration_us("hold", hold).await;
            ctx.sleep_us(hold_us).await;
            ctx.mark(Mark::GivesUp { seats });
            // A release that fails shows in http_req_failed; the script does not repeat it.
            let _ = ctx.call(release_request(&session)).await;
        }
        Ok(response) if matches!(response.status, 409 | 423) => {
            attempted(&mut ctx, "seat_lock_conflict", false);
            ctx.note(Note::Check("conflict answered 409 or 423", true));
        }
        _ => ctx.note(Note::Count("seat_lock_error", 1)),
    }
    let think = ctx.params().range("think");
    let think_us = ctx.draw_duration_us("think", think).await;
    ctx.sleep_us(think_us).await;
    Flow::Again
}

async fn lock_release(mut ctx: Ctx) -> Flow {
    let session = session(&mut ctx);
    if let Some((seats, _)) = lock_some(&mut ctx, &session).await {
        // Ending the hold is a step of its own, so that the client holds its seats for as long as others act.
        ctx.sleep_us(0).await;
        ctx.mark(Mark::GivesUp { seats });
        let _ = ctx.call(release_request(&session)).await;
    }
    Flow::Again
}

async fn lock_confirm(mut ctx: Ctx, email: Option<&'static str>) -> Flow {
    let session = session(&mut ctx);
    if let Some((_, response)) = lock_some(&mut ctx, &session).await {
        let mut request = Request::new(CONFIRM, "confirm_booking", 350)
            .with("session", session)
            .with("lock", response.get("lock").clone());
        if let Some(email) = email {
            request = request.with("email", email);
        }
        if ctx.call(request.clone()).await.is_err() {
            let _ = ctx.call(request).await;
        }
    }
    Flow::Again
}

/// LOCK for drawn seats; the seats and the answer after a 201.
async fn lock_some(ctx: &mut Ctx, session: &Value) -> Option<(Drawn, Response)> {
    let of = ctx.params().get("seats");
    let count = ctx.params().range("seats_per_request").low;
    let seats = draw_seats(ctx, count, of).await;
    let response = ctx.call(lock_request(session, &seats)).await.ok().filter(|response| response.status == 201)?;
    told(ctx, &seats, &response);
    Some((seats, response))
}

async fn draw_seats(ctx: &mut Ctx, count: i64, of: i64) -> Drawn {
    let whole = |number| u32::try_from(number).expect("the parameters' bounds are far below 2^32");
    ctx.draw_distinct("seats", whole(count.min(of)), whole(of)).await
}

fn session(ctx: &mut Ctx) -> Value {
    Value::from(String::from_utf8_lossy(&ctx.token()).as_ref())
}

fn lock_request(session: &Value, seats: &[i64]) -> Request {
    let list = Value::List(seats.iter().copied().map(Value::Int).collect());
    let bytes = 290 + 24 * u32::try_from(seats.len()).unwrap_or(0);
    Request::new(LOCK, "lock_seats", bytes).with("session", session.clone()).with("seats", list)
}

fn release_request(session: &Value) -> Request {
    Request::new(RELEASE, "release_seats", 230).with("session", session.clone())
}

fn attempted(ctx: &mut Ctx, counter: &'static str, is_success: bool) {
    ctx.note(Note::Count(counter, 1));
    ctx.note(Note::Rate("seat_lock_success_rate", is_success));
    ctx.note(Note::CallDuration("seat_lock_duration_ms"));
}

/// The client believes what the answer says: it holds the seats until `expires_at`.
fn told(ctx: &mut Ctx, seats: &[i64], response: &Response) {
    if let Value::Timestamp(until_us) = response.get("expires_at") {
        ctx.mark(Mark::Holds { seats: seats.into(), until_us: u64::try_from(*until_us).unwrap_or(0) });
    }
}
