//! From the start of the program to the first answer of /healthz, on a database that exists.

use crate::{
    figure::{Bar, Figure, Spread},
    out,
    process::Launch,
    program::Program,
};

const STARTS: usize = 20;

pub(super) async fn run(program: &Program, floor: &Launch) -> anyhow::Result<Vec<Figure>> {
    out::progress(&format!("{STARTS} starts each"));
    let launch = program.launch();
    // The first one reads the program from the disk.
    for launch in [&launch, floor] {
        launch.timed().await?;
    }
    let (mut ours, mut floors) = (vec![], vec![]);
    for _ in 0..STARTS {
        ours.push(launch.timed().await?);
        floors.push(floor.timed().await?);
    }
    let (ours, floors) = (Spread::of(ours), Spread::of(floors));
    Ok(vec![
        Figure::new("start to /healthz, median", "ms", ours.median())
            .beside(floors.median())
            .bar(Bar::Under(100.0)),
        Figure::new("start to /healthz, p95", "ms", ours.percentile(95.0))
            .beside(floors.percentile(95.0)),
    ])
}
