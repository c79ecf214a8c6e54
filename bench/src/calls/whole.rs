//! Answers in one piece: what one costs the server alone.

use super::{
    AT_ONCE, same,
    stand::{PATH, Side},
};
use crate::{
    figure::{Bar, Figure},
    load::Target,
    out,
    versus::{self, Bars},
};

pub(super) async fn run(what: &str, ours: &Side, floor: &Side) -> anyhow::Result<Vec<Figure>> {
    out::progress(&format!("{what}, {AT_ONCE} at once, in turns"));
    same(ours, floor).await?;
    let bars = Bars { processor: Some(Bar::RatioAtMost(3.0)), ..Bars::default() };
    versus::run(what, bars, &side(ours), &side(floor)).await
}

fn side(side: &Side) -> versus::Side<'_> {
    let body = side.body("small", false);
    let target = Target::post(side.running.address, PATH, &side.headers(), &body).over(AT_ONCE);
    versus::Side { running: &side.running, target }
}
