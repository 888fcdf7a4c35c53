//! What Mercury does not have.

use super::super::core::Core;
use super::super::{Answer, Call, Content, Error, InvocationId, RequestId};
use super::Mercury;
use super::ask::unsupported;
use crate::wamp::RawDict;

const NO_CALLS: Error = unsupported("a call", "Mercury has no calls: use WAMP");

// The other wire needs all of these arguments.
#[allow(clippy::unused_self, clippy::needless_pass_by_value)]
impl Mercury {
    /// There are no challenges here.
    pub(in super::super) fn authenticate(
        &mut self,
        _core: &mut Core,
        _signature: String,
        _extra: RawDict,
        _now: u64,
    ) {
    }

    /// There are no challenges here.
    pub(in super::super) fn refuse_challenge(&mut self, _core: &mut Core, _reason: String, _now: u64) {}

    pub(in super::super) fn call(
        &mut self,
        _core: &mut Core,
        _call: Call,
        _now: u64,
    ) -> Result<RequestId, Error> {
        Err(NO_CALLS)
    }

    pub(in super::super) fn call_more(
        &mut self,
        _core: &mut Core,
        _request: RequestId,
        _content: Content,
        _more: bool,
        _now: u64,
    ) -> Result<(), Error> {
        Err(NO_CALLS)
    }

    /// Jobs are handed and forgotten here, so an answer reaches nobody, and is never too late.
    pub(in super::super) fn answer(
        &mut self,
        _core: &mut Core,
        _invocation: InvocationId,
        answer: Answer,
        _now: u64,
    ) -> Result<(), Error> {
        match answer {
            Answer::Progress(_) => {
                Err(unsupported("a part of a result", "over Mercury nobody waits for results"))
            }
            Answer::Result(_) | Answer::Failed { .. } => Ok(()),
        }
    }
}
