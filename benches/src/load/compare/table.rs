//! Medians of several runs, as rows of a Markdown table.

use std::fmt;

use super::Group;
use super::workload::{Figure, Figures};

/// The rows of one workload.
pub(crate) struct Table {
    title: &'static str,
    rows: Vec<Row>,
}

struct Row {
    figure: Figure,
    /// By entry; `None` where the entry does not run this workload.
    spreads: Vec<Option<Spread>>,
}

/// The median of some runs and what they lie between.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Spread {
    lowest: f64,
    pub(crate) median: f64,
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

    /// Of the figure of this name in some runs.
    pub(crate) fn of_figure(name: &str, runs: &[Figures]) -> Option<Self> {
        let values = runs.iter().flatten().filter(|figure| figure.name == name).map(|figure| figure.value);
        Self::of(values.collect())
    }

    /// The median, and the range unless all runs agree to the printed decimals.
    pub(crate) fn print(&self, decimals: usize) -> String {
        let print = |value: f64| format!("{value:.decimals$}");
        let (lowest, highest) = (print(self.lowest), print(self.highest));
        if lowest == highest { lowest } else { format!("{} ({lowest} to {highest})", print(self.median)) }
    }
}

impl Table {
    /// Head of the table to which all rows of a group belong.
    pub(crate) fn head(group: Group) -> String {
        let columns = group.columns();
        let rule = "---|".repeat(columns.matches('|').count());
        format!("| load | figure: median (lowest to highest) | {columns}\n|---|---|{rule}")
    }

    /// The rows of one workload, by entry; the figures of the first entry's first run name them.
    pub(crate) fn new(title: &'static str, runs: &[Vec<Figures>]) -> Self {
        let row = |figure: &Figure| {
            let spreads = runs.iter().map(|runs| Spread::of_figure(figure.name, runs)).collect();
            Row { figure: *figure, spreads }
        };
        let figures = runs.first().and_then(|runs| runs.first());
        Self { title, rows: figures.into_iter().flatten().map(row).collect() }
    }
}

impl Row {
    /// Its cells behind the name: the entries, then the ratio of each but the last to the last.
    fn cells(&self) -> Vec<String> {
        let spread = |spread: &Option<Spread>| {
            spread.map_or_else(|| "-".to_owned(), |spread| spread.print(self.figure.decimals))
        };
        let mut cells: Vec<_> = self.spreads.iter().map(spread).collect();
        let Some((reference, others)) = self.spreads.split_last() else { return cells };
        cells.extend(others.iter().map(|other| match (other, reference) {
            (Some(other), Some(reference)) if self.figure.compared => {
                format!("**{:.2}**", other.median / reference.median)
            }
            _ => String::new(),
        }));
        cells
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, row) in self.rows.iter().enumerate() {
            let title = if number == 0 { self.title } else { "" };
            writeln!(f, "| {title} | {} | {} |", row.figure.name, row.cells().join(" | "))?;
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
    fn a_row_has_the_medians_of_all_and_their_ratios_to_the_last() {
        let run = |value| vec![Figure { name: "cost", value, decimals: 1, compared: true }];
        let table = Table::new("a load", &[vec![run(1.0), run(2.0), run(9.0)], vec![run(4.0)]]);
        assert_eq!(table.to_string(), "| a load | cost | 2.0 (1.0 to 9.0) | 4.0 | **0.50** |\n");
        let table = Table::new("a load", &[vec![run(5.0)], Vec::new(), vec![run(4.0)]]);
        assert_eq!(table.to_string(), "| a load | cost | 5.0 | - | 4.0 | **1.25** |  |\n");
    }

    #[test]
    fn the_head_has_a_column_for_each_entry_and_ratio() {
        for group in [Group::Servers, Group::Dialects] {
            let entries = group.entries().len();
            let head = Table::head(group);
            for line in head.lines() {
                assert_eq!(line.matches('|').count(), 3 + entries + entries - 1, "{head}");
            }
        }
    }
}
