//! The mathematics of WAMP's log-ins. A driver asks for it, away from its event loop: SCRAM is slow by design.

use petasus_protocol::session::Identity;
use petasus_protocol::wamp::Dict;
use petasus_protocol::wamp::auth::{answer, cra, cryptosign, nonce, scram, to_hex};
use pyo3::exceptions::{PyRuntimeError, PyTypeError};
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
        auth.identity.extra = extra.into();
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
        auth.identity.extra = extra.into();
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
        auth.identity.extra = extra.map_or(Ok(Dict::new()), to_dict)?.into();
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

    #[staticmethod]
    fn __reduce__() -> PyResult<()> {
        Err(PyTypeError::new_err(
            "an Auth can not be copied or pickled: it holds a secret; make it in each process",
        ))
    }

    fn __repr__(&self) -> String {
        format!("<Auth authid={:?} methods={:?}>", self.identity.authid, self.identity.methods)
    }
}

impl Auth {
    fn of(authid: Option<String>, methods: Vec<String>, secret: Secret) -> Auth {
        Auth { identity: Identity { authid, methods, extra: Dict::new().into() }, secret }
    }

    fn prove(&self, method: &str, extra: &Dict) -> Result<(String, Dict), String> {
        let proof = match &self.secret {
            Secret::Ticket(ticket) => return Ok((ticket.clone(), Dict::new())),
            Secret::Cra(secret) => answer::cra(secret, extra),
            Secret::Scram { password, nonce } => {
                let authid = self.identity.authid.as_deref().unwrap_or_default();
                answer::scram(authid, password, nonce, method, extra)
            }
            Secret::Cryptosign(key) => answer::cryptosign(key, extra),
            Secret::Elsewhere(_) => return Err("the program has to answer it".to_owned()),
        };
        let proof = proof.map_err(|error| error.to_string())?;
        Ok((proof.signature, proof.extra))
    }
}
