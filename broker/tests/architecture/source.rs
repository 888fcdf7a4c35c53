//! A source file as words: no comments, no texts, no code of tests.

/// One word or sign of a source file.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Token {
    /// An identifier, a number, `::`, or one character. What stood in quotes is an empty pair of them.
    pub(crate) text: String,
    /// Its line, from 1.
    pub(crate) line: usize,
}

/// A source file.
pub(crate) struct Source {
    /// From the root of the workspace, with `/`: `broker/src/hub/bus.rs`.
    pub(crate) path: String,
    /// How many lines it has.
    pub(crate) lines: usize,
    /// All its words.
    pub(crate) tokens: Vec<Token>,
    /// The words that are not part of a test.
    pub(crate) shipped: Vec<Token>,
}

impl Source {
    /// The file at `path` with this text.
    pub(crate) fn new(path: &str, text: &str) -> Self {
        let tokens = tokens(text);
        let shipped = if is_test(path) { Vec::new() } else { without_tests(&tokens) };
        Self { path: path.to_owned(), lines: text.lines().count(), tokens, shipped }
    }
}

/// Is the whole file about tests? By its name, or that of its folder.
fn is_test(path: &str) -> bool {
    path.split('/').any(|part| ["tests", "tests.rs", "benches", "examples"].contains(&part))
}

/// Cuts a text into words.
fn tokens(text: &str) -> Vec<Token> {
    let characters: Vec<char> = text.chars().collect();
    let mut tokens = Vec::new();
    let mut at = 0;
    let mut line = 1;
    while at < characters.len() {
        let rest = &characters[at..];
        let (length, word) = next(rest);
        if let Some(text) = word {
            tokens.push(Token { text, line });
        }
        line += rest[..length].iter().filter(|&&character| character == '\n').count();
        at += length;
    }
    tokens
}

/// How many characters the next thing takes, and its word if it has one.
fn next(rest: &[char]) -> (usize, Option<String>) {
    let starts =
        |text: &str| text.chars().enumerate().all(|(at, character)| rest.get(at) == Some(&character));
    if starts("//") {
        return (rest.iter().position(|&character| character == '\n').unwrap_or(rest.len()), None);
    }
    if starts("/*") {
        return (block_comment(rest), None);
    }
    if let Some(length) = raw_text(rest) {
        return (length, Some("\"\"".to_owned()));
    }
    if rest[0] == '"' {
        return (quoted(rest, '"'), Some("\"\"".to_owned()));
    }
    if rest[0] == '\'' {
        // A character literal closes after one character or escape; a lifetime or label does not close.
        let is_character = rest.get(1) == Some(&'\\') || rest.get(2) == Some(&'\'');
        return if is_character { (quoted(rest, '\''), Some("''".to_owned())) } else { (1, None) };
    }
    if starts("::") {
        return (2, Some("::".to_owned()));
    }
    if is_word(rest[0]) {
        let length = rest.iter().position(|&character| !is_word(character)).unwrap_or(rest.len());
        return (length, Some(rest[..length].iter().collect()));
    }
    (1, (!rest[0].is_whitespace()).then(|| rest[0].to_string()))
}

fn is_word(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}

/// The length of a block comment; they nest.
fn block_comment(rest: &[char]) -> usize {
    let mut depth = 0;
    let mut at = 0;
    while at + 1 < rest.len() {
        match (rest[at], rest[at + 1]) {
            ('/', '*') => (depth, at) = (depth + 1, at + 2),
            ('*', '/') => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            return at;
        }
    }
    rest.len()
}

/// The length of a text or character literal with its quotes.
fn quoted(rest: &[char], quote: char) -> usize {
    let mut at = 1;
    while at < rest.len() && rest[at] != quote {
        at += if rest[at] == '\\' { 2 } else { 1 };
    }
    (at + 1).min(rest.len())
}

/// The length of a raw text (`r"..."`, `br#"..."#`), if one begins here.
fn raw_text(rest: &[char]) -> Option<usize> {
    let prefix = rest.iter().take_while(|&&character| "brc".contains(character)).count();
    let hashes = rest[prefix..].iter().take_while(|&&character| character == '#').count();
    if prefix == 0 || rest[prefix - 1] != 'r' || rest.get(prefix + hashes) != Some(&'"') {
        return None;
    }
    let end: Vec<char> = std::iter::once('"').chain(std::iter::repeat_n('#', hashes)).collect();
    let start = prefix + hashes + 1;
    let length = rest[start..].windows(end.len()).position(|window| window == end);
    Some(length.map_or(rest.len(), |length| start + length + end.len()))
}

/// Leaves out every item that stands under `#[cfg(test)]`.
fn without_tests(tokens: &[Token]) -> Vec<Token> {
    let mut kept = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        let length = attribute(&tokens[at..]);
        let words: Vec<&str> = tokens[at..at + length].iter().map(|token| token.text.as_str()).collect();
        let is_test = words.contains(&"cfg") && words.contains(&"test") && !words.contains(&"not");
        if is_test {
            at += length;
            at += item(&tokens[at..]);
        } else {
            let step = length.max(1);
            kept.extend_from_slice(&tokens[at..at + step]);
            at += step;
        }
    }
    kept
}

/// The length of the attribute `#[...]` that begins here, or 0.
fn attribute(tokens: &[Token]) -> usize {
    match tokens {
        [hash, open, ..] if hash.text == "#" && open.text == "[" => 1 + group(&tokens[1..]),
        _ => 0,
    }
}

/// The length of the item that begins here, with its attributes: to its `;` or the end of its braces.
fn item(tokens: &[Token]) -> usize {
    let mut at = 0;
    while at < tokens.len() {
        match tokens[at].text.as_str() {
            "{" => {
                at += group(&tokens[at..]);
                // `use a::{b};` goes on after its braces.
                let goes_on = tokens.get(at).is_some_and(|token| token.text == ";");
                return at + usize::from(goes_on);
            }
            "(" | "[" => at += group(&tokens[at..]),
            ";" => return at + 1,
            _ => at += 1,
        }
    }
    tokens.len()
}

/// The length of the bracketed group that begins here.
fn group(tokens: &[Token]) -> usize {
    let mut depth = 0;
    for (at, token) in tokens.iter().enumerate() {
        match token.text.as_str() {
            "{" | "(" | "[" => depth += 1,
            "}" | ")" | "]" => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return at + 1;
        }
    }
    tokens.len()
}
