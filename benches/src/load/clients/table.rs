//! A table of one workload: a row for each contestant, medians, and how they compare with the reference.

use std::fmt;

use crate::compare::{Figures, Spread};

use super::contestant::Contestant;
use super::workload::Workload;

/// The rows of one workload.
pub(super) struct Table {
    workload: Workload,
    /// By contestant, the figures of each run.
    rows: Vec<(Contestant, Vec<Figures>)>,
}

impl Table {
    /// Of all runs.
    pub(super) fn new(workload: Workload, rows: Vec<(Contestant, Vec<Figures>)>) -> Self {
        Self { workload, rows }
    }

    /// A cell: the median, its range, and for a figure that is compared its ratio to the reference.
    fn cell(&self, contestant: Contestant, runs: &[Figures], column: usize) -> Option<String> {
        let figure = runs.first()?.get(column)?;
        let spread = Spread::of_figure(figure.name, runs)?;
        let text = spread.print(figure.decimals);
        Some(match self.of_reference(figure.name) {
            Some(median) if figure.compared && contestant != self.workload.reference() => {
                format!("{text} **{:.2}**", spread.median / median)
            }
            _ => text,
        })
    }

    /// The median by which others are divided.
    fn of_reference(&self, figure: &str) -> Option<f64> {
        let (_, runs) = self.rows.iter().find(|(contestant, _)| *contestant == self.workload.reference())?;
        let median = Spread::of_figure(figure, runs)?.median;
        (median > 0.0).then_some(median)
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(first) = self.rows.first().and_then(|(_, runs)| runs.first()) else { return Ok(()) };
        let names: Vec<_> = first.iter().map(|figure| figure.name).collect();
        writeln!(f, "**{}**\n", self.workload.title())?;
        writeln!(f, "| client | {} |\n|---|{}", names.join(" | "), "---|".repeat(names.len()))?;
        for (contestant, runs) in &self.rows {
            let cells = (0..names.len()).map(|column| self.cell(*contestant, runs, column));
            let cells: Vec<_> = cells.map(Option::unwrap_or_default).collect();
            writeln!(f, "| {} | {} |", contestant.title(), cells.join(" | "))?;
        }
        writeln!(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compare::{figure, note};

    fn run(speed: f64, lost: f64) -> Figures {
        vec![figure("speed", speed, 1), note("lost", lost, 0)]
    }

    #[test]
    fn medians_stand_beside_those_of_the_reference() {
        let rows = vec![
            (Contestant::Cbor, vec![run(1.0, 0.0), run(3.0, 0.0), run(2.0, 0.0)]),
            (Contestant::Nats, vec![run(4.0, 1.0)]),
        ];
        let table = Table::new(Workload::Throughput, rows).to_string();
        let expected = "| client | speed | lost |\n|---|---|---|\n\
                        | petasus, WAMP cbor | 2.0 (1.0 to 3.0) **0.50** | 0 |\n\
                        | async-nats | 4.0 | 1 |\n";
        assert!(table.contains(expected), "{table}");
    }

    #[test]
    fn without_the_reference_there_are_no_ratios() {
        let table = Table::new(Workload::Calls, vec![(Contestant::Json, vec![run(4.0, 0.0)])]).to_string();
        assert!(table.contains("| petasus, WAMP json | 4.0 | 0 |"), "{table}");
    }
}
