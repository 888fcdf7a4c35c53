//! A history as a sequence chart: the broker at the left, a line for each connection, an arrow for each message.

use std::fmt::Write;

use serde_json::Value;

use super::text::escaped;

/// Pixels between the lines of two connections.
const LANE: usize = 104;
/// Where the broker's line stands.
const BROKER: usize = 40;
/// Pixels between two events.
const ROW: usize = 24;
/// Where the first event stands: below two lines of names.
const TOP: usize = 56;
/// More events than this are left to the list.
const MOST: usize = 120;

/// Connections from this number on are the harness's own.
const AUDITORS: u64 = 1000;

struct Lane {
    conn: u64,
    role: String,
    topic: String,
}

/// The chart. Events of which nothing is to be seen are left out.
pub(super) fn svg(history: &[Value]) -> String {
    let lanes = lanes(history);
    let rows: Vec<(&Value, Row)> = history.iter().filter_map(|event| Some((event, row(event)?))).collect();
    let shown = rows.len().min(MOST);
    let (width, height) = (BROKER + LANE * lanes.len() + 80, TOP + ROW * (shown + 1));
    let mut svg = format!(
        "<svg class=\"chart\" width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\" role=\"img\" \
         aria-label=\"What happened, in order\">"
    );
    let mut put = |text: String| svg.push_str(&text);
    put(format!("<text class=\"who\" x=\"{BROKER}\" y=\"18\">broker</text>"));
    put(line("lane broker", BROKER, TOP - 14, BROKER, height - 8));
    for (number, lane) in lanes.iter().enumerate() {
        let x = x(number);
        let who = match lane.conn.checked_sub(AUDITORS) {
            Some(number) => format!("auditor {number}"),
            None => format!("{} · {}", lane.conn, lane.role),
        };
        put(format!("<text class=\"who\" x=\"{x}\" y=\"18\">{}</text>", escaped(&who)));
        put(format!("<text class=\"topic\" x=\"{x}\" y=\"34\">{}</text>", escaped(&lane.topic)));
        put(line("lane", x, TOP - 14, x, height - 8));
    }
    for (at, (event, row)) in rows.iter().take(MOST).enumerate() {
        let y = TOP + ROW * at;
        let lane = event["conn"].as_u64().and_then(|conn| lanes.iter().position(|lane| lane.conn == conn));
        put(drawn(row, lane, y, width));
    }
    if rows.len() > MOST {
        let y = height - 8;
        put(format!("<text class=\"note\" x=\"60\" y=\"{y}\">and {} more</text>", rows.len() - MOST));
    }
    svg + "</svg>"
}

/// What is drawn of an event.
enum Row {
    /// From the connection to the broker.
    Out(String),
    /// From the broker to the connection.
    In(String),
    /// At the connection's line.
    Note(&'static str, String),
    /// Over all lines.
    Bar(String),
}

fn row(event: &Value) -> Option<Row> {
    let text = |key: &str| event[key].as_str().unwrap_or_default().to_owned();
    let code = || event["code"].as_u64().map(|code| format!(" {code}")).unwrap_or_default();
    Some(match event["event"].as_str()? {
        "opened" => Row::Note("open", "joined".to_owned()),
        "refused" => {
            let status = event["status"].as_u64().map_or("no answer".to_owned(), |status| status.to_string());
            Row::Note("bad", format!("refused: {status}"))
        }
        "sending" => Row::Out(payload(event)),
        "received" => Row::In(payload(event)),
        "leaving" => Row::Note("quiet", if text("how") == "abrupt" { "drops" } else { "leaves" }.to_owned()),
        "left" => Row::Note("quiet", format!("gone{}", code())),
        "ended" => Row::Note("bad", format!("ended by the broker{}", code())),
        "broken" => Row::Note("bad", text("why")),
        "missed" => Row::Note("bad", format!("waited in vain: {}", text("wait"))),
        "settled" => Row::Bar("settled: what comes now is late".to_owned()),
        // Barriers and what was declared say nothing to a reader; steps of other kinds are named.
        "opening" | "flushed" | "declared" => return None,
        other => Row::Note("quiet", other.replace('_', " ")),
    })
}

/// `1.0`, the connection and the number of a message that has a tag; else its begin.
fn payload(event: &Value) -> String {
    let head = event["payload"]["head"].as_str().unwrap_or_default();
    let mut parts = head.split(':').skip(1);
    match (head.starts_with('z'), parts.next(), parts.next(), parts.next()) {
        (true, Some(conn), Some(number), Some(_)) => format!("message {conn}.{number}"),
        _ if head.is_empty() => "empty".to_owned(),
        _ => format!("{:?}", head.chars().take(9).collect::<String>()),
    }
}

fn lanes(history: &[Value]) -> Vec<Lane> {
    let mut lanes: Vec<Lane> = Vec::new();
    for event in history {
        let Some(conn) = event["conn"].as_u64() else { continue };
        if lanes.iter().all(|lane| lane.conn != conn) {
            let text = |key: &str| event["door"][key].as_str().unwrap_or_default().chars().take(14).collect();
            lanes.push(Lane { conn, role: text("role"), topic: text("topic") });
        }
    }
    lanes
}

fn x(lane: usize) -> usize {
    BROKER + LANE * (lane + 1)
}

fn line(class: &str, x1: usize, y1: usize, x2: usize, y2: usize) -> String {
    format!("<line class=\"{class}\" x1=\"{x1}\" y1=\"{y1}\" x2=\"{x2}\" y2=\"{y2}\"/>")
}

fn drawn(row: &Row, lane: Option<usize>, y: usize, width: usize) -> String {
    let mut svg = String::new();
    let at = lane.map_or(BROKER, x);
    match row {
        Row::Out(text) | Row::In(text) => {
            let is_out = matches!(row, Row::Out(_));
            let class = if is_out { "out" } else { "in" };
            svg += &line(class, BROKER, y, at, y);
            // The tip of the arrow.
            let (tip, back) = if is_out { (BROKER, BROKER + 8) } else { (at, at.saturating_sub(8)) };
            write!(svg, "<path class=\"{class}\" d=\"M{back} {} L{tip} {y} L{back} {}\"/>", y - 4, y + 4)
                .expect("a string takes all");
            let x = at.saturating_sub(LANE / 2);
            write!(svg, "<text class=\"{class}\" x=\"{x}\" y=\"{}\">{}</text>", y - 4, escaped(text))
                .expect("a string takes all");
        }
        Row::Note(class, text) => {
            write!(svg, "<circle class=\"{class}\" cx=\"{at}\" cy=\"{y}\" r=\"4\"/>")
                .expect("a string takes all");
            write!(
                svg,
                "<text class=\"note {class}\" x=\"{}\" y=\"{}\">{}</text>",
                at + 8,
                y + 4,
                escaped(text)
            )
            .expect("a string takes all");
        }
        Row::Bar(text) => {
            svg += &line("bar", 8, y, width - 8, y);
            write!(svg, "<text class=\"note\" x=\"{}\" y=\"{}\">{}</text>", BROKER + 6, y - 4, escaped(text))
                .expect("a string takes all");
        }
    }
    svg
}
