//! Command lines, as people write them in settings.

/// Splits a command line at blanks. What stands in `'...'` or `"..."` is one word; a backslash outside of `'...'` takes the
/// next character as it is. Nothing else of a shell is known: no variables, no patterns, no pipes.
///
/// None if a quote is not closed, or if there is no word.
pub fn words(line: &str) -> Option<Vec<String>> {
    let (mut words, mut word, mut quote) = (Vec::new(), None::<String>, None);
    let mut letters = line.chars();
    while let Some(letter) = letters.next() {
        match (letter, quote) {
            (letter, Some(open)) if letter == open => quote = None,
            ('\\', None | Some('"')) => word.get_or_insert_default().push(letters.next()?),
            ('\'' | '"', None) => {
                quote = Some(letter);
                word.get_or_insert_default();
            }
            (letter, None) if letter.is_whitespace() => words.extend(word.take()),
            (letter, _) => word.get_or_insert_default().push(letter),
        }
    }
    words.extend(word);
    (quote.is_none() && !words.is_empty()).then_some(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_and_backslashes_keep_words_together() {
        let split = |line: &str| words(line).map(|words| words.join("|"));
        assert_eq!(split("python3  adapter.py -v").as_deref(), Some("python3|adapter.py|-v"));
        assert_eq!(split(r#"a 'b "c' "d 'e" f\ g h"i"j"#).as_deref(), Some(r#"a|b "c|d 'e|f g|hij"#));
        assert_eq!(split("a ''").as_deref(), Some("a|"));
        for bad in ["", "  ", "a 'b", "a \"b", "a\\"] {
            assert_eq!(words(bad), None, "{bad}");
        }
    }
}
