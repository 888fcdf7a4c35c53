//! The paths that a source file names: `use` trees spelled out, `super` and `self` resolved.

use crate::source::{Source, Token};

/// A path such as `std::time::Instant`, or `crate::hub::Bus` for what was written as `super::Bus`.
pub(crate) struct Path {
    /// Its segments.
    pub(crate) segments: Vec<String>,
    /// The line that names it.
    pub(crate) line: usize,
}

impl Path {
    /// Do these segments, written `a::b`, begin the path?
    pub(crate) fn begins_with(&self, prefix: &str) -> bool {
        prefix
            .split("::")
            .enumerate()
            .all(|(at, segment)| self.segments.get(at).is_some_and(|own| own == segment))
    }

    /// Do these segments, written `a::b`, stand anywhere in the path, one after the other?
    pub(crate) fn contains(&self, part: &str) -> bool {
        let part: Vec<&str> = part.split("::").collect();
        self.segments
            .windows(part.len())
            .any(|window| window.iter().zip(&part).all(|(own, other)| own == other))
    }
}

/// All paths of the shipped code: of two segments and more in code, of any length in `use`.
pub(crate) fn paths(source: &Source) -> Vec<Path> {
    let mut reader = Reader { tokens: &source.shipped, at: 0, found: Vec::new() };
    let mut module = module_of(&source.path);
    let mut depth = 0;
    let mut inline: Vec<usize> = Vec::new();
    while let Some(token) = reader.peek(0) {
        let first = reader.found.len();
        match token.text.as_str() {
            "use" => {
                reader.at += 1;
                reader.tree(&[]);
            }
            "crate" if reader.at > 0 && reader.tokens[reader.at - 1].text == "extern" => {
                reader.at += 1;
                reader.tree(&[]);
            }
            "mod" if reader.peek(2).is_some_and(|token| token.text == "{") => {
                module.push(reader.tokens[reader.at + 1].text.clone());
                depth += 1;
                inline.push(depth);
                reader.at += 3;
            }
            "{" => {
                depth += 1;
                reader.at += 1;
            }
            "}" => {
                if inline.last() == Some(&depth) {
                    inline.pop();
                    module.pop();
                }
                depth -= 1;
                reader.at += 1;
            }
            _ => reader.plain(),
        }
        for path in &mut reader.found[first..] {
            resolve(path, &module);
        }
    }
    reader.found
}

/// The module of a file: `broker/src/hub/bus.rs` is `hub`, `bus`.
fn module_of(path: &str) -> Vec<String> {
    let inside = path.split_once("src/").map_or(path, |(_, inside)| inside);
    let module = inside.trim_end_matches(".rs").split('/').map(str::to_owned);
    module.filter(|name| !["mod", "lib", "main"].contains(&name.as_str())).collect()
}

/// Replaces leading `self` and `super` by the path from the crate's root.
fn resolve(path: &mut Path, module: &[String]) {
    let supers = path.segments.iter().take_while(|segment| *segment == "super").count();
    let is_self = path.segments.first().is_some_and(|segment| segment == "self");
    if supers == 0 && !is_self {
        return;
    }
    let skip = supers.max(1);
    let outer = &module[..module.len().saturating_sub(supers)];
    let mut segments = vec!["crate".to_owned()];
    segments.extend_from_slice(outer);
    segments.extend(path.segments.drain(skip..));
    path.segments = segments;
}

/// Walks over words and collects paths.
struct Reader<'a> {
    tokens: &'a [Token],
    at: usize,
    found: Vec<Path>,
}

impl<'a> Reader<'a> {
    /// A `use` tree below `prefix`: `a::b`, `a::{b, c as d}`, `a::*`.
    fn tree(&mut self, prefix: &[String]) {
        let mut segments = prefix.to_vec();
        let line = self.peek(0).map_or(0, |token| token.line);
        while let Some(token) = self.peek(0) {
            match token.text.as_str() {
                "::" => self.at += 1,
                "{" => {
                    self.at += 1;
                    self.branches(&segments);
                    return;
                }
                "as" => self.at += 2,
                "," | "}" | ";" => break,
                word => {
                    segments.push(word.to_owned());
                    self.at += 1;
                }
            }
        }
        if segments.len() > prefix.len() {
            self.found.push(Path { segments, line });
        }
    }

    /// The branches of a tree, to the closing brace.
    fn branches(&mut self, prefix: &[String]) {
        while let Some(token) = self.peek(0) {
            match token.text.as_str() {
                "}" => {
                    self.at += 1;
                    return;
                }
                "," => self.at += 1,
                ";" => return,
                _ => self.tree(prefix),
            }
        }
    }

    /// A path in code, or a word that is none.
    fn plain(&mut self) {
        let word =
            |token: &Token| token.text.starts_with(|first: char| first.is_alphabetic() || first == '_');
        let Some(first) = self.peek(0).filter(|token| word(token)) else {
            self.at += 1;
            return;
        };
        let mut segments = vec![first.text.clone()];
        self.at += 1;
        while self.peek(0).is_some_and(|token| token.text == "::") {
            let Some(next) = self.peek(1).filter(|token| word(token)) else { break };
            segments.push(next.text.clone());
            self.at += 2;
        }
        if segments.len() > 1 {
            self.found.push(Path { segments, line: first.line });
        }
    }

    fn peek(&self, ahead: usize) -> Option<&'a Token> {
        self.tokens.get(self.at + ahead)
    }
}
