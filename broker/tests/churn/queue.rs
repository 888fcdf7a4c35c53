//! Pullers that come and go.
