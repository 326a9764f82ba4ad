//! The clients: the measured k6 script, and the short journeys that exploration uses.

use super::background::RECALCULATE;
use super::confirm::{CHECKOUT, CONFIRM};
use super::payment::{MOMO, PAYPAL};
use super::{LOCK, RELEASE, SEATS_OF_SHOWTIME};
use crate::process::token::Token;
use crate::process::{Ctx, Drawn, Flow, Mark, Note, Request, Response, started};
use crate::system::model::Journey;
use crate::world::identity::ProcessId;
use crate::world::value::Value;

pub(super) const SETUP: Journey = Journey {
    name: "setup",
    about: "k6's setup(): four GET requests for what the test needs to know.",
    run: |ctx| Box::pin(setup(ctx)),
};

pub(super) const JOURNEYS: [Journey; 16] = [
    Journey {
        name: "contend",
        about: "The measured k6 script: lock one to three random seats, hold, release, think.",
        run: |ctx| started(|| contend(ctx)),
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
    Journey {
        name: "lock_twice",
        about: "LOCK, once more for seats drawn anew if no answer comes; after a 201, RELEASE.",
        run: |ctx| Box::pin(lock_twice(ctx)),
    },
    Journey {
        name: "confirm_or_release",
        about: "The k6 workflow: LOCK, CONFIRM, and RELEASE unless CONFIRM was answered 200.",
        run: |ctx| Box::pin(confirm_or_release(ctx)),
    },
    Journey {
        name: "buy",
        about: "LOCK, CHECKOUT, and MoMo reports success.",
        run: |ctx| Box::pin(buy(ctx, &[(MOMO, "success")])),
    },
    Journey {
        name: "buy_with_paypal",
        about: "LOCK, CHECKOUT, and the customer returns from PayPal.",
        run: |ctx| Box::pin(buy(ctx, &[(PAYPAL, "success")])),
    },
    Journey {
        name: "fail_to_pay",
        about: "LOCK, CHECKOUT, and MoMo reports failure.",
        run: |ctx| Box::pin(buy(ctx, &[(MOMO, "failure")])),
    },
    Journey {
        name: "fail_then_pay",
        about: "LOCK, CHECKOUT, and MoMo reports failure and then, of the same order, success.",
        run: |ctx| Box::pin(buy(ctx, &[(MOMO, "failure"), (MOMO, "success")])),
    },
    Journey {
        name: "pay_twice",
        about: "LOCK, CHECKOUT, and MoMo reports success and then the same again.",
        run: |ctx| Box::pin(buy(ctx, &[(MOMO, "success"), (MOMO, "success")])),
    },
    Journey { name: "lock", about: "LOCK, and nothing more.", run: |ctx| Box::pin(lock_only(ctx)) },
    Journey {
        name: "lock_elsewhere",
        about: "LOCK, and LOCK for a seat of another showtime, which is not on sale.",
        run: |ctx| Box::pin(lock_elsewhere(ctx)),
    },
    Journey {
        name: "lock_doubled",
        about: "LOCK with the same seat twice in one request.",
        run: |ctx| Box::pin(lock_doubled(ctx)),
    },
    Journey {
        name: "impostor",
        about: "RELEASE with the identity of the first client.",
        run: |ctx| Box::pin(impostor(ctx)),
    },
    Journey {
        name: "recalculate",
        about: "An administrator has all prices recalculated.",
        run: |ctx| Box::pin(admin(ctx)),
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
        let mut request = confirm_request(&session, &response);
        if let Some(email) = email {
            request = request.with("email", email);
        }
        if ctx.call(request.clone()).await.is_err() {
            let _ = ctx.call(request).await;
        }
    }
    Flow::Again
}

async fn lock_only(mut ctx: Ctx) -> Flow {
    let session = session(&mut ctx);
    lock_some(&mut ctx, &session).await;
    Flow::Done
}

async fn lock_elsewhere(mut ctx: Ctx) -> Flow {
    let session = session(&mut ctx);
    if let Some((seats, _)) = lock_some(&mut ctx, &session).await {
        let elsewhere = seats.iter().map(|seat| seat + SEATS_OF_SHOWTIME).collect::<Drawn>();
        let _ = ctx.call(lock_request(&session, &elsewhere)).await;
    }
    Flow::Done
}

async fn lock_doubled(mut ctx: Ctx) -> Flow {
    let session = session(&mut ctx);
    let of = ctx.params().get("seats");
    let seat = draw_seats(&mut ctx, 1, of).await[0];
    if let Ok(response) = ctx.call(lock_request(&session, &[seat, seat])).await
        && response.status == 201
    {
        told(&mut ctx, &[seat], &response);
    }
    Flow::Done
}

/// Ownership is one string: whoever sends a user's id as `X-Session-Id` passes every check. How the id was learnt is
/// no part of the model.
async fn impostor(mut ctx: Ctx) -> Flow {
    let stolen = Token { process: ProcessId::client(1), nth: 1 }.to_bytes();
    let _ = ctx.call(release_request(&Value::text(&stolen)).with("as", "guest")).await;
    Flow::Done
}

async fn lock_twice(mut ctx: Ctx) -> Flow {
    let session = session(&mut ctx);
    let of = ctx.params().get("seats");
    let count = ctx.params().range("seats_per_request").low;
    let seats = draw_seats(&mut ctx, count, of).await;
    let mut asked = seats;
    let mut answer = ctx.call(lock_request(&session, &asked)).await;
    if answer.is_err() {
        // The customer may have thought of other seats in the meantime.
        asked = draw_seats(&mut ctx, count, of).await;
        answer = ctx.call(lock_request(&session, &asked)).await;
    }
    let seats = asked;
    if let Ok(response) = answer.as_ref()
        && response.status == 201
    {
        told(&mut ctx, &seats, response);
        ctx.sleep_us(0).await;
        ctx.mark(Mark::GivesUp { seats });
        let _ = ctx.call(release_request(&session)).await;
    }
    Flow::Again
}

/// The script gives CONFIRM 15 s and sends DELETE after any answer that is not 200, also after none.
async fn confirm_or_release(mut ctx: Ctx) -> Flow {
    let session = session(&mut ctx);
    if let Some((seats, response)) = lock_some(&mut ctx, &session).await {
        let answer = ctx.call(confirm_request(&session, &response)).await;
        if answer.is_ok_and(|answer| answer.status == 200) {
            return Flow::Again;
        }
        ctx.mark(Mark::GivesUp { seats });
        let _ = ctx.call(release_request(&session)).await;
    }
    Flow::Again
}

/// A customer goes to the gateway, which then reports these results, one after the other.
async fn buy(mut ctx: Ctx, reports: &'static [(&'static str, &'static str)]) -> Flow {
    let session = session(&mut ctx);
    let Some((seats, response)) = lock_some(&mut ctx, &session).await else { return Flow::Done };
    let lock = response.get("lock").clone();
    let checkout = Request::new(CHECKOUT, "checkout", 380).with("session", session).with("lock", lock);
    let Ok(order) = ctx.call(checkout).await else { return Flow::Done };
    if order.status != 201 {
        return Flow::Done;
    }
    for (route, result) in reports {
        if *result == "failure" {
            ctx.mark(Mark::GivesUp { seats: seats.clone() });
        }
        let number = order.get("order").clone();
        let report = Request::new(route, "payment", 420).with("order", number).with("result", *result);
        // A report that is not answered is made once more.
        let answer = match ctx.call(report.clone()).await {
            Err(_) => ctx.call(report).await,
            answer => answer,
        };
        if answer.is_ok_and(|answer| *answer.get("ticket") != Value::Null) {
            ctx.mark(Mark::Ticket { seats: seats.clone() });
        }
    }
    Flow::Done
}

async fn admin(mut ctx: Ctx) -> Flow {
    let _ = ctx.call(Request::new(RECALCULATE, "prices", 200)).await;
    Flow::Done
}

fn confirm_request(session: &Value, lock: &Response) -> Request {
    let request = Request::new(CONFIRM, "confirm_booking", 350).with("session", session.clone());
    request.with("lock", lock.get("lock").clone())
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
    Value::text(&ctx.token())
}

fn lock_request(session: &Value, seats: &[i64]) -> Request {
    let list = Value::ints(seats);
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
