//! Answers in one piece: what one costs the server alone.

use super::{AT_ONCE, same, stand::Side};
use crate::{
    figure::{Bar, Figure},
    load::Target,
    out,
    versus::{self, Bars},
};

/// The bar is one for processor time.
pub(crate) async fn whole(
    what: &str,
    ours: &Side,
    floor: &Side,
    bar: Bar,
) -> anyhow::Result<Vec<Figure>> {
    out::progress(&format!("{what}, {AT_ONCE} at once, in turns"));
    same(ours, floor).await?;
    let bars = Bars { processor: Some(bar), ..Bars::default() };
    versus::run(what, bars, &side(ours), &side(floor)).await
}

fn side(side: &Side) -> versus::Side<'_> {
    let body = side.body("small", false);
    let target =
        Target::post(side.running.address, side.path(), &side.headers(), &body).over(AT_ONCE);
    versus::Side { running: &side.running, target }
}
