//! A login by password, one at a time: nearly all of it is the hash, which is slow on purpose.

use crate::{
    figure::{Figure, Spread},
    out,
    process::Running,
    program::Program,
    wire,
};
use std::time::Instant;

const LOGINS: usize = 20;

pub(super) async fn run(program: &Program, ours: &Running) -> anyhow::Result<Vec<Figure>> {
    out::progress(&format!("{LOGINS} logins"));
    let body = program.login();
    let mut took = vec![];
    for _ in 0..LOGINS {
        let begun = Instant::now();
        wire::call(ours.address, "POST", "/api/login", &[], &body).await?;
        took.push(begun.elapsed().as_secs_f64() * 1000.0);
    }
    let took = Spread::of(took);
    Ok(vec![
        Figure::new("login by password, median", "ms", took.median()),
        Figure::new("login by password, p95", "ms", took.percentile(95.0)),
    ])
}
