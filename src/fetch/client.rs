//! One request to a server, and what is made of its answer.

use std::io::Read;
use std::time::Duration;

use ureq::http::{HeaderMap, StatusCode, header};
use ureq::{Agent, Body, Timeout};

use super::address::Address;
use crate::error::Error;

/// How long servers are waited for.
#[derive(Clone, Debug)]
pub(super) struct Patience {
    /// Until there is a connection.
    pub connect: Duration,
    /// Until the next bytes come.
    pub silence: Duration,
    /// Between the attempts after a connection broke; as many as there are.
    pub pauses: Vec<Duration>,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(30),
            silence: Duration::from_mins(1),
            pauses: [1, 2, 4].map(Duration::from_secs).to_vec(),
        }
    }
}

/// More is no model that convscope could open.
const LARGEST: u64 = 8 << 30;

/// Other servers that may be gone through.
const MOST_REDIRECTS: u32 = 5;

/// A file, or the rest of one, on its way.
pub(super) struct Reply {
    /// The index of its first byte.
    pub from: u64,
    /// Bytes of the whole file, if the server says so.
    pub total: Option<u64>,
    /// By which the server tells this version of the file from others, to be sent back with `If-Range`.
    pub validator: Option<String>,
    /// The bytes.
    pub body: Box<dyn Read>,
}

/// Why there is no file.
pub(super) enum Failure {
    /// The connection, or the server for the moment; another attempt may succeed.
    Broken(String),
    /// What is here already is not the beginning of the server's file.
    Stale,
    /// For good.
    Refused(Error),
}

/// Sends requests.
pub(super) struct Client {
    agent: Agent,
    patience: Patience,
}

impl Client {
    /// Proxies are taken from the environment.
    pub(super) fn new(patience: Patience) -> Self {
        Self::with(Agent::config_builder(), patience)
    }

    /// Whatever the environment says: for servers on this machine.
    #[cfg(test)]
    pub(super) fn direct(patience: Patience) -> Self {
        Self::with(Agent::config_builder().proxy(None), patience)
    }

    fn with(
        config: ureq::config::ConfigBuilder<ureq::typestate::AgentScope>,
        patience: Patience,
    ) -> Self {
        let config = config
            .user_agent(concat!("convscope/", env!("CARGO_PKG_VERSION")))
            // Compressed on the way, a file would be another one with another length.
            .accept_encoding("identity")
            .http_status_as_error(false)
            .max_redirects(MOST_REDIRECTS)
            .timeout_resolve(Some(patience.connect))
            .timeout_connect(Some(patience.connect))
            .timeout_per_read(Some(patience.silence))
            .timeout_per_write(Some(patience.silence));
        Self {
            agent: config.build().into(),
            patience,
        }
    }

    pub(super) fn patience(&self) -> &Patience {
        &self.patience
    }

    /// Asks for a file from the byte `from` on; `None` if that is its end. With a `validator`, a server that has
    /// another version by now sends the whole of that.
    pub(super) fn get(
        &self,
        address: &Address,
        from: u64,
        validator: Option<&str>,
    ) -> Result<Option<Reply>, Failure> {
        let mut request = self
            .agent
            .get(address.as_str())
            .config()
            // Holds for where the server leads on to as well.
            .https_only(address.is_secure())
            .build();
        if from > 0 {
            request = request.header(header::RANGE, format!("bytes={from}-"));
            if let Some(validator) = validator {
                request = request.header(header::IF_RANGE, validator);
            }
        }
        let answer = request
            .call()
            .map_err(|error| self.failure(address, error))?;
        let (status, headers) = (answer.status(), answer.headers());
        let refused = |what: String| Failure::Refused(Error::request(format!("{address}: {what}")));
        match status {
            StatusCode::OK | StatusCode::PARTIAL_CONTENT => {}
            StatusCode::RANGE_NOT_SATISFIABLE if from > 0 => {
                let total = content_range(headers).and_then(|(_, total)| total);
                return if total == Some(from) {
                    Ok(None)
                } else {
                    Err(Failure::Stale)
                };
            }
            StatusCode::NOT_FOUND | StatusCode::GONE => {
                return Err(refused(format!("there is no such file ({status})")));
            }
            _ if status.is_server_error() => {
                return Err(Failure::Broken(format!("the server answers {status}")));
            }
            _ => return Err(refused(format!("the server answers {status}"))),
        }
        if let Some(encoding) = text(headers, header::CONTENT_ENCODING)
            && encoding != "identity"
        {
            let what = "the server sends the file compressed, and was asked not to";
            return Err(refused(what.to_owned()));
        }
        let reply = reply(from, validator, answer)?;
        if let Some(total) = reply.total.filter(|&total| total > LARGEST) {
            return Err(refused(too_large(total)));
        }
        Ok(Some(reply))
    }

    /// What a request failed of, in words.
    fn failure(&self, address: &Address, error: ureq::Error) -> Failure {
        let refused = |what: String| Failure::Refused(Error::request(format!("{address}: {what}")));
        match error {
            ureq::Error::TooManyRedirects => {
                refused(format!("leads on more than {MOST_REDIRECTS} times"))
            }
            ureq::Error::RequireHttpsOnly(other) => {
                refused(format!("leads on to {other}, which isn't https"))
            }
            ureq::Error::Tls(_) | ureq::Error::Rustls(_) | ureq::Error::TlsRequired => {
                refused(format!("no secure connection: {error}"))
            }
            error => Failure::Broken(self.reason(&error)),
        }
    }

    /// Why a connection broke, in words.
    pub(super) fn reason(&self, error: &ureq::Error) -> String {
        match error {
            ureq::Error::HostNotFound => "the host is not found".to_owned(),
            ureq::Error::Timeout(Timeout::PerRead | Timeout::PerWrite) => {
                let seconds = self.patience.silence.as_secs_f64();
                format!("nothing came for {seconds} seconds")
            }
            ureq::Error::Timeout(_) => {
                let seconds = self.patience.connect.as_secs_f64();
                format!("there was no connection within {seconds} seconds")
            }
            ureq::Error::Io(error) => error.to_string(),
            other => other.to_string(),
        }
    }
}

/// What is said of a file of so many bytes.
pub(super) fn too_large(bytes: u64) -> String {
    format!("the file has {bytes} bytes or more; convscope fetches up to {LARGEST}")
}

/// How many bytes of a file are taken.
pub(super) fn limit(total: Option<u64>) -> u64 {
    total.unwrap_or(LARGEST)
}

fn reply(
    from: u64,
    wanted: Option<&str>,
    answer: ureq::http::Response<Body>,
) -> Result<Reply, Failure> {
    let headers = answer.headers();
    let validator = validator(headers);
    let length = answer.body().content_length();
    let (begin, total) = if answer.status() == StatusCode::PARTIAL_CONTENT {
        let Some((Some(begin), total)) = content_range(headers) else {
            return Err(Failure::Stale);
        };
        let other_version =
            wanted.is_some() && validator.is_some() && wanted != validator.as_deref();
        if from == 0 || begin != from || other_version {
            return Err(Failure::Stale);
        }
        let by_length = length.and_then(|length| begin.checked_add(length));
        (begin, total.or(by_length))
    } else {
        (0, length)
    };
    Ok(Reply {
        from: begin,
        total,
        validator,
        body: Box::new(answer.into_body().into_reader()),
    })
}

/// The first byte and the total of `Content-Range: bytes FIRST-LAST/TOTAL`; both may be missing.
fn content_range(headers: &HeaderMap) -> Option<(Option<u64>, Option<u64>)> {
    let text = text(headers, header::CONTENT_RANGE)?;
    let (range, total) = text.strip_prefix("bytes ")?.split_once('/')?;
    let first = range
        .split_once('-')
        .and_then(|(first, _)| first.parse().ok());
    Some((first, total.parse().ok()))
}

/// The file's `ETag`, unless it is a weak one, which files may share that are only nearly alike; else its date.
fn validator(headers: &HeaderMap) -> Option<String> {
    let etag = text(headers, header::ETAG).filter(|etag| !etag.starts_with("W/"));
    etag.or_else(|| text(headers, header::LAST_MODIFIED))
        .map(str::to_owned)
}

fn text(headers: &HeaderMap, name: header::HeaderName) -> Option<&str> {
    headers.get(name)?.to_str().ok()
}
