//! Who receives a publication (WAMP: publisher exclusion, subscriber black- and whitelisting).

use std::collections::HashSet;

use petasus_protocol::wamp::{Dict, WrongType};

/// What PUBLISH says about its receivers. The usual case, all but the publisher, allocates nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Audience {
    /// The publisher does not receive its own event; so it is unless it says otherwise.
    pub(crate) exclude_me: bool,
    lists: Option<Box<Lists>>,
}

/// The lists. Of an eligible list that is there, receivers must be on it, even if it is empty.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct Lists {
    exclude: HashSet<u64>,
    exclude_authid: HashSet<String>,
    exclude_authrole: HashSet<String>,
    eligible: Option<HashSet<u64>>,
    eligible_authid: Option<HashSet<String>>,
    eligible_authrole: Option<HashSet<String>>,
}

/// A receiver, as the lists know it. A raw socket has no session, and is on no list.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Receiver<'a> {
    pub(crate) session: u64,
    pub(crate) authid: &'a str,
    pub(crate) authrole: &'a str,
}

impl Default for Audience {
    fn default() -> Self {
        Self { exclude_me: true, lists: None }
    }
}

impl Audience {
    /// Everybody, or everybody but the publisher.
    pub(crate) const fn open(exclude_me: bool) -> Self {
        Self { exclude_me, lists: None }
    }

    /// Reads the options of PUBLISH.
    pub(super) fn read(options: &Dict) -> Result<Self, WrongType> {
        if options.is_empty() {
            return Ok(Self::default());
        }
        let owned = |texts: Vec<&str>| texts.into_iter().map(str::to_owned).collect::<HashSet<_>>();
        let texts = |key| options.texts(key).map(|texts| texts.map(owned));
        let ids = |key| options.ids(key).map(|ids| ids.map(HashSet::from_iter));
        let lists = Lists {
            exclude: ids("exclude")?.unwrap_or_default(),
            exclude_authid: texts("exclude_authid")?.unwrap_or_default(),
            exclude_authrole: texts("exclude_authrole")?.unwrap_or_default(),
            eligible: ids("eligible")?,
            eligible_authid: texts("eligible_authid")?,
            eligible_authrole: texts("eligible_authrole")?,
        };
        Ok(Self {
            exclude_me: options.bool("exclude_me")?.unwrap_or(true),
            lists: (lists != Lists::default()).then(|| Box::new(lists)),
        })
    }

    /// Whether there is nobody to look up: only the publisher itself may be left out.
    pub(crate) fn is_open(&self) -> bool {
        self.lists.is_none()
    }

    /// Whether the lists let somebody receive; `None` is a receiver without a session.
    pub(crate) fn admits(&self, receiver: Option<Receiver<'_>>) -> bool {
        let Some(lists) = &self.lists else { return true };
        let Some(receiver) = receiver else {
            return lists.eligible.is_none()
                && lists.eligible_authid.is_none()
                && lists.eligible_authrole.is_none();
        };
        let excluded = lists.exclude.contains(&receiver.session)
            || lists.exclude_authid.contains(receiver.authid)
            || lists.exclude_authrole.contains(receiver.authrole);
        !excluded
            && lists.eligible.as_ref().is_none_or(|list| list.contains(&receiver.session))
            && lists.eligible_authid.as_ref().is_none_or(|list| list.contains(receiver.authid))
            && lists.eligible_authrole.as_ref().is_none_or(|list| list.contains(receiver.authrole))
    }
}
