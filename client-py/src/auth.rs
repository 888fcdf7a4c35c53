//! The mathematics of WAMP's log-ins. A driver asks for it, away from its event loop: SCRAM is slow by design.

use petasus_protocol::session::Identity;
use petasus_protocol::wamp::Dict;
use petasus_protocol::wamp::auth::{AuthError, cra, cryptosign, from_hex, nonce, scram, to_hex};
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::error::setting_error;
use crate::value::{of_dict, to_dict};

/// Who a program says it is, and how it proves that. What it knows is not shown.
#[pyclass(frozen, module = "petasus")]
pub(crate) struct Auth {
    pub(crate) identity: Identity,
    secret: Secret,
}

enum Secret {
    Ticket(String),
    Cra(String),
    Scram {
        password: String,
        nonce: String,
    },
    Cryptosign(Box<[u8; 32]>),
    /// The driver asks the program.
    Elsewhere(Py<PyAny>),
}

#[pymethods]
impl Auth {
    #[staticmethod]
    fn ticket(authid: String, ticket: String) -> Auth {
        Auth::of(Some(authid), vec!["ticket".to_owned()], Secret::Ticket(ticket))
    }

    #[staticmethod]
    fn wampcra(authid: String, secret: String) -> Auth {
        Auth::of(Some(authid), vec![cra::METHOD.to_owned()], Secret::Cra(secret))
    }

    #[staticmethod]
    fn scram(authid: String, password: String) -> PyResult<Auth> {
        let mut random = [0; 16];
        getrandom::fill(&mut random).map_err(|error| PyRuntimeError::new_err(error.to_string()))?;
        let nonce = nonce(&random);
        let methods = [scram::Variant::Specified, scram::Variant::Autobahn];
        let methods = methods.map(|variant| variant.method().to_owned()).to_vec();
        let extra = Dict::new().with("nonce", nonce.as_str());
        let mut auth = Auth::of(Some(authid), methods, Secret::Scram { password, nonce });
        auth.identity.extra = extra;
        Ok(auth)
    }

    #[staticmethod]
    #[pyo3(signature = (authid, private_key))]
    fn cryptosign(py: Python<'_>, authid: Option<String>, private_key: &[u8]) -> PyResult<Auth> {
        let key: [u8; 32] = private_key
            .try_into()
            .map_err(|_| setting_error(py, "the private key", "it must have 32 bytes (Ed25519)"))?;
        let extra = Dict::new()
            .with("pubkey", to_hex(&cryptosign::public_key(&key)))
            .with("channel_binding", Option::<&str>::None);
        let mut auth =
            Auth::of(authid, vec![cryptosign::METHOD.to_owned()], Secret::Cryptosign(Box::new(key)));
        auth.identity.extra = extra;
        Ok(auth)
    }

    /// Any other way: `answer(method, extra)` gives the signature, or it and what goes along.
    #[staticmethod]
    #[pyo3(signature = (authid, methods, answer, extra=None))]
    fn custom(
        authid: Option<String>,
        methods: Vec<String>,
        answer: Py<PyAny>,
        extra: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<Auth> {
        let mut auth = Auth::of(authid, methods, Secret::Elsewhere(answer));
        auth.identity.extra = extra.map_or(Ok(Dict::new()), to_dict)?;
        Ok(auth)
    }

    /// Whom to ask, if it is not answered in here.
    #[getter]
    fn _answerer(&self, py: Python<'_>) -> Option<Py<PyAny>> {
        match &self.secret {
            Secret::Elsewhere(answer) => Some(answer.clone_ref(py)),
            _ => None,
        }
    }

    /// The signature, and what goes along. Slow; other threads go on meanwhile.
    fn _prove<'py>(
        &self,
        py: Python<'py>,
        method: &str,
        extra: &Bound<'py, PyDict>,
    ) -> PyResult<(String, Bound<'py, PyDict>)> {
        let extra = to_dict(extra)?;
        let proof = py.detach(|| self.prove(method, &extra));
        let (signature, along) = proof.map_err(PyRuntimeError::new_err)?;
        Ok((signature, of_dict(py, &along)?))
    }

    fn __repr__(&self) -> String {
        format!("<Auth authid={:?} methods={:?}>", self.identity.authid, self.identity.methods)
    }
}

impl Auth {
    fn of(authid: Option<String>, methods: Vec<String>, secret: Secret) -> Auth {
        Auth { identity: Identity { authid, methods, extra: Dict::new() }, secret }
    }

    fn prove(&self, method: &str, extra: &Dict) -> Result<(String, Dict), String> {
        let alone = |signature| (signature, Dict::new());
        match &self.secret {
            Secret::Ticket(ticket) => Ok(alone(ticket.clone())),
            Secret::Cra(secret) => prove_cra(secret, extra).map(alone),
            Secret::Scram { password, nonce } => prove_scram(
                self.identity.authid.as_deref().unwrap_or_default(),
                password,
                nonce,
                method,
                extra,
            ),
            Secret::Cryptosign(key) => prove_cryptosign(key, extra).map(alone),
            Secret::Elsewhere(_) => Err("the program has to answer it".to_owned()),
        }
    }
}

fn prove_cra(secret: &str, extra: &Dict) -> Result<String, String> {
    let challenge = text(extra, "challenge")?;
    let key = match extra.text("salt") {
        Ok(Some(salt)) if !salt.is_empty() => {
            let number =
                |key, usual| extra.id(key).map_err(|error| error.to_string()).map(|id| id.unwrap_or(usual));
            let salting =
                cra::Salting { salt, iterations: number("iterations", 1000)?, keylen: number("keylen", 32)? };
            cra::derive_key(secret, &salting).map_err(|error| error.to_string())?
        }
        _ => secret.to_owned(),
    };
    Ok(cra::sign(key.as_bytes(), challenge))
}

fn prove_scram(
    authid: &str,
    password: &str,
    client_nonce: &str,
    method: &str,
    extra: &Dict,
) -> Result<(String, Dict), String> {
    let say = |error: AuthError| error.to_string();
    let variant = scram::Variant::of_method(method).ok_or("this is no SCRAM")?;
    let (nonce, salt) = (text(extra, "nonce")?, text(extra, "salt")?);
    let number = |key: &str| extra.id(key).map_err(|error| error.to_string());
    let iterations = number("iterations")?.ok_or("the challenge has no iterations")?;
    let kdf = scram::Kdf::parse(text(extra, "kdf")?, iterations, number("memory")?).map_err(say)?;
    if kdf.is_weak() {
        return Err(
            "the router asks for a key that is easily cracked, so it is not trusted with one".to_owned()
        );
    }
    let keys = scram::ClientKeys::for_salt_text(variant, password, salt, kdf).map_err(say)?;
    let iterations = kdf.iterations();
    let exchange = scram::Exchange { variant, authid, client_nonce, nonce, salt, iterations, channel: None };
    let signature = exchange.prove(&keys).map_err(say)?;
    let unbound = Option::<&str>::None;
    let along = Dict::new().with("nonce", nonce).with("channel_binding", unbound).with("cbind_data", unbound);
    Ok((signature, along))
}

fn prove_cryptosign(private_key: &[u8; 32], extra: &Dict) -> Result<String, String> {
    if extra.get("channel_binding").is_some_and(|binding| !binding.is_null()) {
        return Err("the router binds the TLS channel, which this client can not".to_owned());
    }
    let challenge =
        from_hex(text(extra, "challenge")?, "the challenge").map_err(|error| error.to_string())?;
    Ok(cryptosign::sign(private_key, &challenge, None))
}

fn text<'a>(extra: &'a Dict, key: &str) -> Result<&'a str, String> {
    let found = extra.text(key).map_err(|error| error.to_string())?;
    found.ok_or_else(|| format!("the challenge has no {key}"))
}
