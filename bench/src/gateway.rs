//! What the gateway costs beside the floor: starting, memory at rest, requests with a token, logins.

mod login;
mod me;
mod memory;
mod start;

use crate::{
    figure::{Report, Section},
    process::Launch,
    program::Program,
};
use std::{path::Path, time::Duration};

pub(crate) async fn run() -> anyhow::Result<Report> {
    let program = Program::prepare().await?;
    let floor_folder = tempfile::TempDir::with_prefix("mosaic-bench-floor-")?;
    let floor = floor(floor_folder.path())?;

    let mut figures = start::run(&program, &floor).await?;
    let ours = program.launch().start().await?;
    let other = me::floor_that_answers_the_same(&program, &ours, &floor).await?;
    figures.extend(memory::at_rest(&ours, &other).await);
    figures.extend(me::run(&program, &ours, &other).await?);
    figures.extend(memory::after_load(&ours, &other).await);
    figures.extend(login::run(&program, &ours).await?);
    ours.stop().await;
    other.stop().await;
    Ok(Report { sections: vec![Section { beside: "floor".into(), figures }] })
}

/// The floor is this program itself, executed again. It answers what `floor.json` in its folder holds.
fn floor(folder: &Path) -> anyhow::Result<Launch> {
    let body = folder.join("floor.json");
    std::fs::write(&body, "{}")?;
    Ok(Launch {
        program: std::env::current_exe()?,
        args: vec!["floor".into(), "--body".into(), body.into_os_string()],
        env: vec![],
        folder: folder.to_owned(),
        address: None,
        ready: "/healthz".into(),
        patience: Duration::from_secs(30),
    })
}
