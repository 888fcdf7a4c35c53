//! Close frames, and the codes for what is wrong.

use super::Mutant;
use crate::raw::{Frame, FrameError};

/// What a Close frame is answered with. Err: the code for what is wrong with it.
pub(super) fn reply(frame: &Frame, mutant: Mutant) -> Result<Frame, u16> {
    match mutant {
        Mutant::CloseAlways1000 => return Ok(Frame::close(Some(1000))),
        Mutant::AnyCloseCode => return Ok(Frame::close(frame.close_code())),
        _ => {}
    }
    let Some(code) = frame.close_code() else {
        return if frame.payload.is_empty() { Ok(Frame::close(None)) } else { Err(1002) };
    };
    match code {
        1000..=1003 | 1007..=1014 | 3000..=4999 if std::str::from_utf8(&frame.payload[2..]).is_ok() => {
            Ok(frame.clone())
        }
        1000..=1003 | 1007..=1014 | 3000..=4999 => Err(1007),
        _ => Err(1002),
    }
}

/// The code for what cannot be read as a frame.
pub(super) fn of_error(error: &FrameError, mutant: Mutant) -> u16 {
    match error {
        FrameError::TooLong(length) if length >> 63 == 0 => 1009,
        FrameError::TooLong(_) if mutant == Mutant::HugeIsTooLong => 1009,
        _ => 1002,
    }
}
