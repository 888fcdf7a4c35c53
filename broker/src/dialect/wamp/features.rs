//! The features that WELCOME announces. PROTOCOL.md lists them beside the tests that prove each.

use petasus_protocol::wamp::{Dict, Value};

/// The router's roles, and the features of each.
pub(crate) const FEATURES: [(&str, &[&str]); 2] = [
    (
        "broker",
        &[
            "pattern_based_subscription",
            "publisher_exclusion",
            "publisher_identification",
            "session_meta_api",
            "subscriber_blackwhite_listing",
            "subscription_meta_api",
            "subscription_revocation",
        ],
    ),
    (
        "dealer",
        &[
            "call_canceling",
            "call_reroute",
            "call_timeout",
            "caller_identification",
            "pattern_based_registration",
            "progressive_call_invocations",
            "progressive_call_results",
            "registration_meta_api",
            "registration_revocation",
            "session_meta_api",
            "shared_registration",
            "testament_meta_api",
        ],
    ),
];

/// What WELCOME announces to every WAMP client: pairs of a role (`broker`, `dealer`) and the name of a feature.
/// PROTOCOL.md lists them beside the tests that prove each.
pub fn wamp_features() -> impl Iterator<Item = (&'static str, &'static str)> {
    FEATURES.into_iter().flat_map(|(role, features)| features.iter().map(move |feature| (role, *feature)))
}

/// `WELCOME.Details.roles`.
pub(crate) fn announced() -> Dict {
    let mut roles = Dict::new();
    for (role, features) in FEATURES {
        let mut announced = Dict::new();
        for feature in features {
            announced.set(*feature, true);
        }
        roles.set(role, Dict::new().with("features", Value::Dict(announced)));
    }
    roles
}
