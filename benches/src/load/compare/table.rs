//! Medians of several runs, as rows of a Markdown table.

use std::fmt;

use super::workload::{Figure, Figures, Workload};

/// The rows of one workload.
pub(crate) struct Table {
    title: &'static str,
    rows: Vec<Row>,
}

struct Row {
    figure: Figure,
    ours: Spread,
    peer: Option<Spread>,
}

/// The median of some runs and what they lie between.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Spread {
    lowest: f64,
    median: f64,
    highest: f64,
}

impl Spread {
    /// `None` for no values.
    fn of(mut values: Vec<f64>) -> Option<Self> {
        values.sort_by(f64::total_cmp);
        let (lowest, highest) = (*values.first()?, *values.last()?);
        let middle = values.len() / 2;
        let median = if values.len() % 2 == 1 {
            values[middle]
        } else {
            f64::midpoint(values[middle - 1], values[middle])
        };
        Some(Self { lowest, median, highest })
    }

    fn of_figure(name: &str, runs: &[Figures]) -> Option<Self> {
        let values = runs.iter().flatten().filter(|figure| figure.name == name).map(|figure| figure.value);
        Self::of(values.collect())
    }

    /// The median, and the range unless all runs agree to the printed decimals.
    fn print(&self, decimals: usize) -> String {
        let print = |value: f64| format!("{value:.decimals$}");
        let (lowest, highest) = (print(self.lowest), print(self.highest));
        if lowest == highest { lowest } else { format!("{} ({lowest} to {highest})", print(self.median)) }
    }
}

impl Table {
    /// Head of the table to which all rows belong.
    pub(crate) const HEAD: &str = "| load | figure: median (lowest to highest) | Petasus | tokio-tungstenite | ratio |\n\
                                   |---|---|---|---|---|";

    /// The rows of `workload`; the figures of our first run name them.
    pub(crate) fn new(workload: Workload, ours: &[Figures], peers: &[Figures]) -> Self {
        let row = |figure: &Figure| {
            let ours = Spread::of_figure(figure.name, ours)?;
            Some(Row { figure: *figure, ours, peer: Spread::of_figure(figure.name, peers) })
        };
        Self { title: workload.title(), rows: ours.first().into_iter().flatten().filter_map(row).collect() }
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, row) in self.rows.iter().enumerate() {
            let title = if number == 0 { self.title } else { "" };
            let decimals = row.figure.decimals;
            let peer = row.peer.map_or_else(|| "-".to_owned(), |peer| peer.print(decimals));
            let ratio = match row.peer {
                Some(peer) if row.figure.compared => format!("**{:.2}**", row.ours.median / peer.median),
                _ => String::new(),
            };
            writeln!(
                f,
                "| {title} | {} | {} | {peer} | {ratio} |",
                row.figure.name,
                row.ours.print(decimals)
            )?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_middle_one_or_between_the_middle_two() {
        let spread = Spread::of(vec![5.0, 1.0, 2.0]).unwrap();
        assert_eq!(spread, Spread { lowest: 1.0, median: 2.0, highest: 5.0 });
        assert!((Spread::of(vec![4.0, 1.0, 2.0, 9.0]).unwrap().median - 3.0).abs() < 1e-9);
        assert_eq!(Spread::of(Vec::new()), None);
    }

    #[test]
    fn a_row_has_both_medians_and_their_ratio() {
        let run = |value| vec![Figure { name: "cost", value, decimals: 1, compared: true }];
        let table = Table::new(Workload::Idle, &[run(1.0), run(2.0), run(9.0)], &[run(4.0)]);
        assert_eq!(
            table.to_string(),
            "| 10,000 idle connections | cost | 2.0 (1.0 to 9.0) | 4.0 | **0.50** |\n"
        );
    }
}
