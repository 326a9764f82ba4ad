//! scratch
use seatproof::system::scenario;
use seatproof::engines::simulate::LoadTest;
use seatproof::system::property::GENERAL;
fn main() {
    let model = seatproof::models::find("moviebooking").unwrap();
    let journeys: Vec<&str> = model.journeys.iter().map(|j| j.name).collect();
    let props: Vec<&str> = GENERAL.iter().chain(model.properties).map(|p| p.name).collect();
    let d = scenario::Declaration { name: model.name, params: model.params, journeys: &journeys, metrics: model.metrics, request_names: model.request_names, properties: &props, draws: model.draws };
    let (s, w) = match scenario::load(std::path::Path::new("models/moviebooking.toml"), &[d]) { Ok(x) => x, Err(e) => { println!("{e}"); return } };
    for w in w { println!("{w}"); }
    let t = LoadTest::new(&s, s.load.as_ref().unwrap(), model).unwrap();
    let n: u64 = std::env::args().nth(1).map_or(1, |x| x.parse().unwrap());
    let start = std::time::Instant::now();
    for seed in 0..n {
        let r = t.run(seed).unwrap();
        if seed < 3 {
            println!("{:?} {} {:?} {:?}", r.seed, r.digest, r.violation, r.vitals);
            for m in &r.summary.metrics { println!("{} {:?}", m.name, m.values); }
        }
    }
    println!("{:?} per run", start.elapsed() / n as u32);
}
