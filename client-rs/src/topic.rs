//! How topics are written.

use petasus_protocol::{Topic, TopicLimits};

use crate::Error;

/// What names a topic.
///
/// In a text, segments are separated by `/` or by `.`, but not by both: `news/sport` and `news.sport` are the same
/// topic, on every wire. If a segment is to hold a dot, give a [`Topic`]: `Topic::new("v1.0/news")`.
///
/// # Errors
/// [`Error::Topic`] for a text with both, and for a topic of more than 1024 characters or 64 segments.
pub trait IntoTopic {
    /// Reads the topic.
    fn into_topic(self) -> Result<Topic, Error>;
}

impl IntoTopic for &str {
    fn into_topic(self) -> Result<Topic, Error> {
        let wrong = |why: String| Error::Topic { topic: self.to_owned(), why };
        let dots = self.contains('.');
        if dots && self.contains('/') {
            let why = "it has slashes and dots: write only one of them between segments, \
                       or give Topic::new(\"...\") if a segment is to hold a dot";
            return Err(wrong(why.to_owned()));
        }
        let limits = TopicLimits::default();
        let topic =
            if dots { Topic::parse(&self.replace('.', "/"), &limits) } else { Topic::parse(self, &limits) };
        topic.map_err(|error| wrong(error.to_string()))
    }
}

impl IntoTopic for &String {
    fn into_topic(self) -> Result<Topic, Error> {
        self.as_str().into_topic()
    }
}

impl IntoTopic for String {
    fn into_topic(self) -> Result<Topic, Error> {
        self.as_str().into_topic()
    }
}

impl IntoTopic for Topic {
    fn into_topic(self) -> Result<Topic, Error> {
        Ok(self)
    }
}

impl IntoTopic for &Topic {
    fn into_topic(self) -> Result<Topic, Error> {
        Ok(self.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slashes_and_dots_name_the_same_topic() {
        assert_eq!("news/sport".into_topic(), "news.sport".into_topic());
        assert_eq!("news.sport".into_topic(), Ok(Topic::new("news/sport")));
        assert_eq!(Topic::new("v1.0/x").into_topic(), Ok(Topic::new("v1.0/x")));
    }

    #[test]
    fn slashes_and_dots_in_one_text_are_refused() {
        let error = "v1.0/x".into_topic().unwrap_err();
        assert!(error.to_string().contains("Topic::new"), "{error}");
    }
}
