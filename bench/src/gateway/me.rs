//! `GET /api/me` with a token, beside the floor's route that answers the same bytes and asks for nothing.

use crate::{
    figure::{Bar, Figure},
    load::Target,
    out,
    process::{Launch, Running},
    program::Program,
    versus::{self, Bars, Side},
    wire,
};
use anyhow::ensure;

const PATH: &str = "/api/me";

/// Starts the floor with the gateway's own answer.
pub(super) async fn floor_that_answers_the_same(
    program: &Program,
    ours: &Running,
    floor: &Launch,
) -> anyhow::Result<Running> {
    let answer = answer(program, ours).await?;
    std::fs::write(floor.folder.join("floor.json"), &answer)?;
    let floor = floor.start().await?;
    let same = wire::call(floor.address, "GET", PATH, &[], "").await? == answer;
    ensure!(same, "the floor does not answer what the gateway answers");
    Ok(floor)
}

pub(super) async fn run(
    program: &Program,
    ours: &Running,
    floor: &Running,
) -> anyhow::Result<Vec<Figure>> {
    out::progress("requests in turns");
    let bearer = program.bearer();
    // The same request to both: the floor receives the token, too, and does not look.
    let headers = [("authorization", bearer.as_str())];
    let target = |running: &Running| Target::get(running.address, PATH, &headers);
    let us = Side { running: ours, target: target(ours) };
    let them = Side { running: floor, target: target(floor) };
    let bars = Bars { requests: Some(Bar::RatioAtLeast(0.5)), ..Bars::default() };
    versus::run("GET /api/me", bars, &us, &them).await
}

async fn answer(program: &Program, ours: &Running) -> anyhow::Result<Vec<u8>> {
    wire::call(ours.address, "GET", PATH, &[("authorization", &program.bearer())], "").await
}
