//! A small HTTP server on this machine, which can be as unkind as servers on the Internet are.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

/// What a client has asked for.
#[derive(Clone, Debug)]
pub struct Request {
    pub path: String,
    /// Their names in small letters.
    headers: HashMap<String, String>,
}

impl Request {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }

    /// The byte that it wants to begin with.
    pub fn from(&self) -> Option<usize> {
        let range = self.header("range")?.strip_prefix("bytes=")?;
        range.strip_suffix('-')?.parse().ok()
    }
}

/// What is sent.
#[derive(Clone, Debug)]
pub struct Answer {
    status: &'static str,
    headers: Vec<(&'static str, String)>,
    body: Vec<u8>,
    /// How much of the body is sent.
    sent: usize,
    /// Whether the connection stays open, in silence, after that.
    silent: bool,
}

impl Answer {
    /// A whole body.
    pub fn new(status: &'static str, body: &[u8]) -> Self {
        Self {
            status,
            headers: vec![("Content-Length", body.len().to_string())],
            sent: body.len(),
            body: body.to_vec(),
            silent: false,
        }
    }

    /// A file as a good server sends it: the asked part of it if it is still of that version.
    pub fn file(request: &Request, file: &[u8], etag: &str) -> Self {
        let same = request.header("if-range").is_none_or(|held| held == etag);
        let length = file.len();
        let answer = match request.from().filter(|_| same) {
            None => Self::new("200 OK", file),
            Some(from) if from >= length => Self::new("416 Range Not Satisfiable", b"")
                .with("Content-Range", &format!("bytes */{length}")),
            Some(from) => Self::new("206 Partial Content", &file[from..]).with(
                "Content-Range",
                &format!("bytes {from}-{}/{length}", length - 1),
            ),
        };
        answer.with("ETag", etag)
    }

    /// With another header.
    pub fn with(mut self, name: &'static str, value: &str) -> Self {
        self.headers.retain(|(there, _)| *there != name);
        self.headers.push((name, value.to_owned()));
        self
    }

    /// Without a header.
    pub fn without(mut self, name: &str) -> Self {
        self.headers.retain(|(there, _)| *there != name);
        self
    }

    /// Sends so many bytes of the body and hangs up.
    pub fn cut(mut self, sent: usize) -> Self {
        self.sent = self.body.len().min(sent);
        self
    }

    /// Sends so many bytes of the body, and then nothing.
    pub fn stalled(self, sent: usize) -> Self {
        Self {
            silent: true,
            ..self.cut(sent)
        }
    }
}

/// Runs until it is dropped.
pub struct Server {
    address: SocketAddr,
    requests: Arc<Mutex<Vec<Request>>>,
    stop: Arc<AtomicBool>,
}

impl Server {
    /// `answer` gets the number of requests before, and the request.
    pub fn start(answer: impl Fn(usize, &Request) -> Answer + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let server = Self {
            address: listener.local_addr().expect("an address"),
            requests: Arc::default(),
            stop: Arc::default(),
        };
        let (requests, stop) = (server.requests.clone(), server.stop.clone());
        let answer = Arc::new(answer);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if stop.load(Ordering::Relaxed) {
                    return;
                }
                let (requests, stop) = (requests.clone(), stop.clone());
                let answer = answer.clone();
                thread::spawn(move || {
                    let Some(request) = read(&stream) else {
                        return;
                    };
                    let before = {
                        let mut requests = requests.lock().expect("not poisoned");
                        requests.push(request.clone());
                        requests.len() - 1
                    };
                    // The client may hang up at any time.
                    let _ = write(&stream, &answer(before, &request), &stop);
                });
            }
        });
        server
    }

    /// The address of a file.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}/{path}", self.address)
    }

    /// What has been asked for up to now.
    pub fn requests(&self) -> Vec<Request> {
        self.requests.lock().expect("not poisoned").clone()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        // Wakes it up.
        let _ = TcpStream::connect(self.address);
    }
}

fn read(stream: &TcpStream) -> Option<Request> {
    let mut lines = BufReader::new(stream).lines().map_while(Result::ok);
    let first = lines.next()?;
    let path = first.split(' ').nth(1)?.to_owned();
    let headers = lines
        .take_while(|line| !line.is_empty())
        .filter_map(|line| {
            let (name, value) = line.split_once(':')?;
            Some((name.to_lowercase(), value.trim().to_owned()))
        });
    Some(Request {
        path,
        headers: headers.collect(),
    })
}

fn write(mut stream: &TcpStream, answer: &Answer, stop: &AtomicBool) -> std::io::Result<()> {
    let mut head = format!("HTTP/1.1 {}\r\nConnection: close\r\n", answer.status);
    for (name, value) in &answer.headers {
        head.extend([name, ": ", value, "\r\n"]);
    }
    head.push_str("\r\n");
    stream.write_all(head.as_bytes())?;
    stream.write_all(&answer.body[..answer.sent])?;
    stream.flush()?;
    while answer.silent && !stop.load(Ordering::Relaxed) {
        thread::sleep(Duration::from_millis(10));
    }
    Ok(())
}
