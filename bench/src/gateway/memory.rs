//! Memory: at rest after a start, and again after load.

use crate::{
    figure::{Bar, Figure},
    out,
    process::Running,
    usage::{self, Memory},
};

pub(super) async fn at_rest(ours: &Running, floor: &Running) -> Vec<Figure> {
    out::progress("memory at rest");
    let Some((ours, floor)) = settled(ours, floor).await else {
        out::progress("this system does not say how much memory a program uses");
        return vec![];
    };
    let mut figures = vec![rss("memory at rest, resident", ours, floor).bar(Bar::Under(30.0))];
    if let (Some(ours), Some(floor)) = (ours.pss, floor.pss) {
        figures.push(Figure::new("memory at rest, proportional", "MB", ours).beside(floor));
    }
    figures
}

pub(super) async fn after_load(ours: &Running, floor: &Running) -> Vec<Figure> {
    let measured = settled(ours, floor).await;
    measured
        .map(|(ours, floor)| rss("memory after the load, resident", ours, floor))
        .into_iter()
        .collect()
}

async fn settled(ours: &Running, floor: &Running) -> Option<(Memory, Memory)> {
    let (ours, floor) =
        tokio::join!(usage::settled_memory(ours.pid()), usage::settled_memory(floor.pid()));
    ours.zip(floor)
}

fn rss(name: &str, ours: Memory, floor: Memory) -> Figure {
    Figure::new(name, "MB", ours.rss).beside(floor.rss)
}
