//! A measured value, what it is held against, and the table of them.

use serde::Serialize;
use serde_json::json;
use std::path::Path;

/// Values in order.
pub(crate) struct Spread(Vec<f64>);

impl Spread {
    pub(crate) fn of(mut values: Vec<f64>) -> Spread {
        values.sort_by(f64::total_cmp);
        Spread(values)
    }

    pub(crate) fn median(&self) -> f64 {
        self.percentile(50.0)
    }

    /// The value that so many percent do not exceed; not a number where there are none.
    pub(crate) fn percentile(&self, percent: f64) -> f64 {
        let rank = (percent / 100.0 * self.0.len() as f64).ceil() as usize;
        self.0.get(rank.saturating_sub(1)).copied().unwrap_or(f64::NAN)
    }
}

/// What a figure should be.
#[derive(Clone, Copy, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Bar {
    /// The value itself.
    Under(f64),
    /// What it is of the value beside it.
    RatioAtLeast(f64),
    /// The same, where less is better.
    RatioAtMost(f64),
    /// The same, and not even that.
    RatioUnder(f64),
}

/// One row.
pub(crate) struct Figure {
    name: String,
    unit: &'static str,
    value: f64,
    beside: Option<f64>,
    bar: Option<Bar>,
    rounds: Vec<f64>,
}

impl Figure {
    pub(crate) fn new(name: impl Into<String>, unit: &'static str, value: f64) -> Figure {
        Figure { name: name.into(), unit, value, beside: None, bar: None, rounds: vec![] }
    }

    pub(crate) fn beside(self, beside: f64) -> Figure {
        Figure { beside: Some(beside), ..self }
    }

    pub(crate) fn bar(self, bar: Bar) -> Figure {
        Figure { bar: Some(bar), ..self }
    }

    /// The ratio of each round. Their median is the ratio: a round that was disturbed counts as one round.
    pub(crate) fn rounds(self, rounds: Vec<f64>) -> Figure {
        Figure { rounds, ..self }
    }

    fn ratio(&self) -> Option<f64> {
        if self.rounds.is_empty() {
            return self.beside.map(|beside| self.value / beside);
        }
        Some(Spread::of(self.rounds.clone()).median())
    }

    fn met(&self) -> Option<bool> {
        match self.bar? {
            Bar::Under(most) => Some(self.value < most),
            Bar::RatioAtLeast(least) => Some(self.ratio()? >= least),
            Bar::RatioAtMost(most) => Some(self.ratio()? <= most),
            Bar::RatioUnder(most) => Some(self.ratio()? < most),
        }
    }

    fn cells(&self) -> [String; 6] {
        let shown = |value: f64| format!("{} {}", short(value), self.unit);
        let bar = match self.bar {
            None => String::new(),
            Some(Bar::Under(most)) => format!("under {}", shown(most)),
            Some(Bar::RatioAtLeast(least)) => format!("ratio at least {}", short(least)),
            Some(Bar::RatioAtMost(most)) => format!("ratio at most {}", short(most)),
            Some(Bar::RatioUnder(most)) => format!("ratio under {}", short(most)),
        };
        let verdict = match self.met() {
            None => "",
            Some(true) => "met",
            Some(false) => "MISSED",
        };
        [
            self.name.clone(),
            shown(self.value),
            self.beside.map(shown).unwrap_or_default(),
            self.ratio().map(short).unwrap_or_default(),
            bar,
            verdict.into(),
        ]
    }
}

/// A few digits: more would be noise.
fn short(value: f64) -> String {
    match value.abs() {
        size if size >= 100.0 => format!("{value:.0}"),
        size if size >= 10.0 => format!("{value:.1}"),
        size if size >= 0.1 => format!("{value:.2}"),
        _ => format!("{value:.4}"),
    }
}

/// Figures that are held against the same thing.
pub(crate) struct Section {
    /// What stands beside Mosaic.
    pub(crate) beside: String,
    pub(crate) figures: Vec<Figure>,
}

/// Everything that was measured in one run.
pub(crate) struct Report {
    pub(crate) sections: Vec<Section>,
}

fn machine() -> (usize, &'static str, &'static str) {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    (cores, std::env::consts::OS, std::env::consts::ARCH)
}

impl Report {
    /// For people.
    pub(crate) fn table(&self) -> String {
        let (cores, system, processor) = machine();
        let mut lines =
            vec![format!("On {cores} cores ({system}, {processor}). Ratio: Mosaic to the other.")];
        for section in &self.sections {
            let head = ["figure", "Mosaic", &section.beside, "ratio", "bar", ""];
            let mut rows = vec![head.map(ToOwned::to_owned)];
            rows.extend(section.figures.iter().map(Figure::cells));
            lines.push(String::new());
            lines.extend(aligned(&rows));
            for figure in section.figures.iter().filter(|figure| figure.bar.is_some()) {
                if !figure.rounds.is_empty() {
                    let rounds: Vec<String> = figure.rounds.iter().copied().map(short).collect();
                    lines.push(format!("{}, ratio by round: {}", figure.name, rounds.join("  ")));
                }
            }
        }
        lines.join("\n")
    }

    /// For programs.
    pub(crate) fn write(&self, file: &Path) -> anyhow::Result<()> {
        let (cores, system, processor) = machine();
        let figure = |section: &Section, it: &Figure| {
            json!({
                "name": it.name, "unit": it.unit, "value": it.value,
                "beside": it.beside.map(|value| json!({ "name": section.beside, "value": value })),
                "ratio": it.ratio(), "rounds": it.rounds, "bar": it.bar, "met": it.met(),
            })
        };
        let figures: Vec<_> = (self.sections.iter())
            .flat_map(|section| section.figures.iter().map(move |it| figure(section, it)))
            .collect();
        let machine = json!({ "cores": cores, "system": system, "processor": processor });
        let text =
            serde_json::to_string_pretty(&json!({ "machine": machine, "figures": figures }))?;
        Ok(std::fs::write(file, text + "\n")?)
    }
}

/// Columns lined up: names to the left, numbers to the right.
fn aligned(rows: &[[String; 6]]) -> Vec<String> {
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max();
    let widths: [usize; 6] = std::array::from_fn(|column| width(column).unwrap_or(0));
    let cell = |(column, text): (usize, &String)| match column {
        1..=3 => format!("{text:>width$}", width = widths[column]),
        _ => format!("{text:<width$}", width = widths[column]),
    };
    let line = |row: &[String; 6]| row.iter().enumerate().map(cell).collect::<Vec<_>>().join("  ");
    rows.iter().map(|row| line(row).trim_end().to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_values_that_were_measured() {
        let spread = Spread::of(vec![4.0, 1.0, 3.0, 2.0]);
        assert_eq!((spread.median(), spread.percentile(95.0)), (2.0, 4.0));
        assert!(Spread::of(vec![]).median().is_nan());
    }

    #[test]
    fn a_bar_is_met_or_missed() {
        let figure = |value| Figure::new("it", "ms", value).beside(10.0);
        assert_eq!(figure(1.0).met(), None);
        assert_eq!(figure(99.0).bar(Bar::Under(100.0)).met(), Some(true));
        assert_eq!(figure(100.0).bar(Bar::Under(100.0)).met(), Some(false));
        assert_eq!(figure(5.0).bar(Bar::RatioAtLeast(0.5)).met(), Some(true));
        let disturbed = figure(5.0).bar(Bar::RatioAtLeast(0.5)).rounds(vec![0.9, 0.4, 0.4]);
        assert_eq!(disturbed.met(), Some(false));
        assert_eq!(figure(5.0).bar(Bar::RatioAtMost(0.5)).met(), Some(true));
        assert_eq!(figure(5.1).bar(Bar::RatioAtMost(0.5)).met(), Some(false));
        assert_eq!(figure(10.0).bar(Bar::RatioUnder(1.0)).met(), Some(false));
        // What could not be measured is not met.
        assert_eq!(figure(f64::NAN).bar(Bar::Under(1.0)).met(), Some(false));
    }

    #[test]
    fn the_table_lines_up() {
        let figures = vec![
            Figure::new("start", "ms", 12.0).beside(3.0).bar(Bar::Under(100.0)),
            Figure::new("log in", "ms", 1234.0),
        ];
        let table = Report { sections: vec![Section { beside: "floor".into(), figures }] }.table();
        let lines: Vec<&str> = table.lines().skip(2).collect();
        assert_eq!(
            lines,
            [
                "figure   Mosaic    floor  ratio  bar",
                "start   12.0 ms  3.00 ms   4.00  under 100 ms  met",
                "log in  1234 ms",
            ]
        );
    }
}
