//! A peer: the same virtual users in turmoil, which runs tokio tasks and a network in virtual time. Their service is
//! a table of seats that answers datagrams, with no database, no Redis and no HTTP behind it. As with k6 they are tasks
//! of one machine: turmoil looks at every pair of machines every millisecond, and with one machine each a run takes
//! minutes.

use std::cell::Cell;
use std::io;
use std::rc::Rc;
use std::time::Duration;

use seatproof::engines::simulate::ramp::Shift;
use tokio::task::spawn_local;
use turmoil::net::UdpSocket;

use super::workload::{Counts, Draws, ONE_WAY, Seats};

const PORT: u16 = 80;
const SERVICE: &str = "service";
/// First bytes of a request; the seats follow.
const LOCK: u8 = 1;
const RELEASE: u8 = 2;

/// One run until every virtual user is done.
pub(crate) fn run(seed: u64, shifts: &[Vec<Shift>]) -> Counts {
    let mut sim = turmoil::Builder::new()
        .rng_seed(seed)
        .simulation_duration(Duration::from_secs(200))
        .min_message_latency(ONE_WAY / 2)
        .max_message_latency(ONE_WAY * 3 / 2)
        .build();
    sim.host(SERVICE, serve);
    let counts = Rc::new(Cell::new(Counts::default()));
    let users = (1..).zip(shifts.to_vec());
    let users = users.map(|(number, shifts)| contend(Draws::new(seed, number), shifts, Rc::clone(&counts)));
    let users = users.collect::<Vec<_>>();
    sim.client("k6", async {
        for user in users.into_iter().map(spawn_local).collect::<Vec<_>>() {
            user.await??;
        }
        Ok(())
    });
    sim.run().expect("no virtual user fails");
    counts.get()
}

async fn serve() -> turmoil::Result {
    let socket = UdpSocket::bind(("0.0.0.0", PORT)).await?;
    let mut seats = Seats::default();
    let mut request = [0; 8];
    loop {
        let (length, from) = socket.recv_from(&mut request).await?;
        let is_granted = match &request[..length] {
            [LOCK, wanted @ ..] => seats.lock(wanted),
            [RELEASE, held @ ..] => {
                seats.release(held);
                true
            }
            other => return Err(format!("no request: {other:?}").into()),
        };
        socket.send_to(&[is_granted.into()], from).await?;
    }
}

async fn contend(mut draws: Draws, shifts: Vec<Shift>, counts: Rc<Cell<Counts>>) -> turmoil::Result {
    let socket = UdpSocket::bind(("0.0.0.0", 0)).await?;
    for shift in shifts {
        tokio::time::sleep(Duration::from_nanos(shift.start_ns).saturating_sub(turmoil::elapsed())).await;
        while turmoil::elapsed() < Duration::from_nanos(shift.stop_ns) {
            let seats = draws.seats();
            let is_granted = ask(&socket, LOCK, &seats).await?;
            let Counts { successes, conflicts } = counts.get();
            let (granted, refused) = (u32::from(is_granted), u32::from(!is_granted));
            counts.set(Counts { successes: successes + granted, conflicts: conflicts + refused });
            if is_granted {
                tokio::time::sleep(draws.hold()).await;
                ask(&socket, RELEASE, &seats).await?;
            }
            tokio::time::sleep(draws.think()).await;
        }
    }
    Ok(())
}

/// Sends a request and waits for the answer.
async fn ask(socket: &UdpSocket, kind: u8, seats: &[u8]) -> io::Result<bool> {
    let request = [&[kind], seats].concat();
    socket.send_to(&request, (SERVICE, PORT)).await?;
    let mut answer = [0];
    socket.recv_from(&mut answer).await?;
    Ok(answer[0] == 1)
}
