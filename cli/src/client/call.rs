//! `call`: arguments as JSON in, the result as JSON out.

use std::io::Write;

use petasus::{Args, Call, Kwargs, Message, Part};
use serde_json::{Map, Value};

use super::line::{Line, Purpose};
use super::{CallArgs, Interrupts, error::ClientError};

/// Runs the command. An interrupt cancels the call.
pub(super) async fn run(args: &CallArgs) -> Result<(), ClientError> {
    let mut interrupts = Interrupts::install()?;
    let (positional, keywords) = arguments(args)?;
    let mut line = Line::open(&Purpose::wamp(&args.server))?;
    let client = line.client();
    let outcome = tokio::select! {
        outcome = async {
            line.reached().await?;
            let call = client.call(args.procedure.as_str()).timeout(args.timeout);
            let call = match keywords {
                Some(keywords) => call.content((Args(positional), Kwargs(keywords))),
                None => call.content(Args(positional)),
            };
            ask(call, args, &mut line).await
        } => outcome,
        () = interrupts.next() => Ok(()),
    };
    if matches!(outcome, Ok(()) | Err(ClientError::OutputClosed)) {
        interrupts.patiently(line.close()).await;
    }
    outcome
}

async fn ask(call: Call<'_>, args: &CallArgs, line: &mut Line) -> Result<(), ClientError> {
    if !args.progress {
        return print(&line.watch(call).await?, args.json);
    }
    let mut parts = call.progressive();
    loop {
        let part = tokio::select! {
            biased;
            part = parts.next() => part,
            lost = line.lost() => return Err(lost),
        };
        let Some(part) = part else { return Ok(()) };
        match part.map_err(|error| line.explain(error))? {
            // Its end may say nothing more.
            Part::Last(message) if is_empty(&message) => {}
            part => print(&part.into_message(), args.json)?,
        }
    }
}

/// Positional arguments, and keyword arguments if there are any.
type Arguments = (Vec<Value>, Option<Map<String, Value>>);

fn arguments(args: &CallArgs) -> Result<Arguments, ClientError> {
    let mut positional = Vec::new();
    for (place, text) in args.args.iter().enumerate() {
        let wrong = |reason| ClientError::Json {
            what: format!("argument {} (`{text}`)", place + 1),
            wanted: "JSON value",
            reason,
        };
        positional.push(serde_json::from_str(text).map_err(wrong)?);
    }
    let object = |text: &String| serde_json::from_str(text);
    let wrong = |reason| ClientError::Json { what: "--kwargs".to_owned(), wanted: "JSON object", reason };
    Ok((positional, args.kwargs.as_ref().map(object).transpose().map_err(wrong)?))
}

/// What a message carries: positional and keyword arguments.
pub(super) fn carried(message: &Message) -> Result<(Vec<Value>, Map<String, Value>), ClientError> {
    let args = message.args().map_err(ClientError::Client)?;
    Ok((args, message.kwargs().map_err(ClientError::Client)?))
}

fn is_empty(message: &Message) -> bool {
    matches!(carried(message), Ok((args, kwargs)) if args.is_empty() && kwargs.is_empty())
}

/// One value is printed as it is, several as a list, keyword arguments as an object, both as an object of both.
pub(super) fn value(args: Vec<Value>, kwargs: Map<String, Value>) -> Value {
    match (args.len(), kwargs.is_empty()) {
        (1, true) => args.into_iter().next().unwrap_or_default(),
        (0, true) => Value::Null,
        (0, false) => Value::Object(kwargs),
        (_, true) => Value::Array(args),
        (_, false) => serde_json::json!({ "args": args, "kwargs": kwargs }),
    }
}

fn print(message: &Message, json: bool) -> Result<(), ClientError> {
    let (args, kwargs) = carried(message)?;
    match value(args, kwargs) {
        Value::String(text) if !json => print_line(&text),
        value => print_line(&value.to_string()),
    }
}

/// Prints a line at once.
pub(super) fn print_line(text: &str) -> Result<(), ClientError> {
    let mut stdout = std::io::stdout().lock();
    let written = writeln!(stdout, "{text}").and_then(|()| stdout.flush());
    written.map_err(|error| match error.kind() {
        std::io::ErrorKind::BrokenPipe => ClientError::OutputClosed,
        _ => ClientError::Output(error),
    })
}
