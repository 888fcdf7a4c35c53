//! What can be sent.

use bytes::Bytes;
use petasus_protocol::session::Content;
use petasus_protocol::wamp::{Payload, Serializer};
use serde::Serialize;

use crate::Error;

/// What a message can be made of: a text, bytes, a value as [`Json`], arguments as [`Args`], or what came.
pub trait IntoContent {
    /// Makes the content. Values are written in `serializer`; if the router chose another one they are transcoded.
    ///
    /// # Errors
    /// [`Error::Content`] if serde can not write a value.
    fn into_content(self, serializer: Serializer) -> Result<Content, Error>;
}

/// A value of the program's own: over WAMP the only argument, over Mercury its JSON text.
///
/// ```
/// # use serde::Serialize;
/// #[derive(Serialize)]
/// struct Point { x: f64, y: f64 }
///
/// let content = petasus::Json(&Point { x: 1.0, y: 2.0 });
/// # let _ = content;
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Json<T>(pub T);

/// Positional arguments: anything that serde writes as a list, such as a tuple. Over Mercury a single one is the
/// message, several are the JSON text `{"args":[...],"kwargs":{}}`.
#[derive(Clone, Copy, Debug)]
pub struct Args<T>(pub T);

/// Keyword arguments: anything that serde writes as a dict with text keys, such as a struct.
#[derive(Clone, Copy, Debug)]
pub struct Kwargs<T>(pub T);

impl<T: Serialize> IntoContent for Json<T> {
    fn into_content(self, serializer: Serializer) -> Result<Content, Error> {
        Ok(Payload::of_args(serializer, &(self.0,))?.into())
    }
}

impl<T: Serialize> IntoContent for Args<T> {
    fn into_content(self, serializer: Serializer) -> Result<Content, Error> {
        Ok(Payload::of_args(serializer, &self.0)?.into())
    }
}

impl<T: Serialize> IntoContent for Kwargs<T> {
    fn into_content(self, serializer: Serializer) -> Result<Content, Error> {
        Ok(Payload::new(serializer, &None::<bool>, &self.0)?.into())
    }
}

impl<A: Serialize, K: Serialize> IntoContent for (Args<A>, Kwargs<K>) {
    fn into_content(self, serializer: Serializer) -> Result<Content, Error> {
        Ok(Payload::new(serializer, &self.0.0, &self.1.0)?.into())
    }
}

/// No arguments.
impl IntoContent for () {
    fn into_content(self, _: Serializer) -> Result<Content, Error> {
        Ok(Content::empty())
    }
}

macro_rules! plain {
    ($($type:ty: $value:ident => $content:expr;)*) => {$(
        impl IntoContent for $type {
            fn into_content(self, _: Serializer) -> Result<Content, Error> {
                let $value = self;
                Ok($content)
            }
        }
    )*};
}

plain! {
    &str: text => Content::from(text);
    String: text => Content::from(text);
    &String: text => Content::from(text.as_str());
    Bytes: bytes => petasus_protocol::Message::binary(bytes).into();
    Vec<u8>: bytes => petasus_protocol::Message::binary(bytes).into();
    &[u8]: bytes => petasus_protocol::Message::binary(Bytes::copy_from_slice(bytes)).into();
    petasus_protocol::Message: message => message.into();
    Payload: payload => payload.into();
    Content: content => content;
    &Content: content => content.clone();
    crate::Message: message => message.into_content();
    &crate::Message: message => message.content().clone();
}

impl<const N: usize> IntoContent for &[u8; N] {
    fn into_content(self, serializer: Serializer) -> Result<Content, Error> {
        self.as_slice().into_content(serializer)
    }
}
