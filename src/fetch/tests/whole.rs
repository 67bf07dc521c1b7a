//! Files that come as they should.

use super::*;

#[test]
fn a_file_comes_whole_and_alone() {
    let server = Server::start(|_, request| Answer::file(request, &content(LENGTH), ETAG));
    let folder = tempdir().unwrap();
    let told = get(
        &wanted(&server, Some(sum(&content(LENGTH)))),
        folder.path(),
        false,
    );
    let fetched = told.result.unwrap();
    assert_eq!(fetched.path, folder.path().join("net.h5"));
    assert!(fetched.new && fetched.checked);
    is_whole(&folder);
    assert_eq!(told.events, [""; 0]);
    assert_eq!(told.bytes, Some((LENGTH as u64, Some(LENGTH as u64))));

    let requests = server.requests();
    assert_eq!(requests.len(), 1);
    assert_eq!(requests[0].path, "/a/net.h5");
    let agent = concat!("convscope/", env!("CARGO_PKG_VERSION"));
    assert_eq!(requests[0].header("user-agent"), Some(agent));
    assert_eq!(requests[0].header("accept-encoding"), Some("identity"));
}

#[test]
fn the_folder_is_made_and_a_length_is_not_needed() {
    // Until the connection is closed, or in chunks.
    let chunked = || {
        let mut body = Vec::new();
        for piece in content(LENGTH).chunks(70_000) {
            body.extend(format!("{:x}\r\n", piece.len()).bytes());
            body.extend(piece);
            body.extend(b"\r\n");
        }
        body.extend(b"0\r\n\r\n");
        Answer::new("200 OK", &body)
            .without("Content-Length")
            .with("Transfer-Encoding", "chunked")
    };
    let server = Server::start(move |before, _| match before {
        0 => chunked(),
        _ => Answer::new("200 OK", &content(LENGTH)).without("Content-Length"),
    });
    for _ in 0..2 {
        let folder = tempdir().unwrap();
        let inner = folder.path().join("x").join("y");
        let told = get(&wanted(&server, None), &inner, false);
        assert_eq!(told.result.unwrap().path, inner.join("net.h5"));
        assert!(fs::read(inner.join("net.h5")).unwrap() == content(LENGTH));
        assert_eq!(told.bytes, Some((LENGTH as u64, None)));
    }
}

#[test]
fn servers_may_lead_on_but_not_without_end() {
    let server = Server::start(|_, request| match request.path.as_str() {
        "/a/net.h5" => Answer::new("302 Found", b"").with("Location", "/b"),
        "/b" => Answer::new("301 Moved Permanently", b"").with("Location", "c/d?e=f"),
        "/c/d?e=f" => Answer::file(request, &content(LENGTH), ETAG),
        _ => Answer::new("307 Temporary Redirect", b"").with("Location", "/round"),
    });
    let folder = tempdir().unwrap();
    get(&wanted(&server, None), folder.path(), false)
        .result
        .unwrap();
    // The name is that of the address that was asked for.
    is_whole(&folder);

    let mut round = wanted(&server, None);
    round.address = Address::parse(&server.url("round")).unwrap();
    let message = get(&round, folder.path(), false).message();
    assert!(
        message.ends_with("/round: leads on more than 5 times"),
        "{message}"
    );
}

#[test]
fn two_at_once_are_one_too_many() {
    let server = Server::start(|_, request| Answer::file(request, &content(LENGTH), ETAG));
    let folder = tempdir().unwrap();
    let other = Part::open(&folder.path().join("net.h5"), None).unwrap();
    let told = get(&wanted(&server, None), folder.path(), false);
    let message = told.message();
    assert!(
        message.ends_with("net.h5: is being fetched by another process at this moment"),
        "{message}"
    );
    assert!(server.requests().is_empty());
    drop(other);
    get(&wanted(&server, None), folder.path(), false)
        .result
        .unwrap();
    is_whole(&folder);
}

#[test]
fn of_many_at_once_all_end_with_the_whole_file_or_a_clear_word() {
    let server = Server::start(|_, request| Answer::file(request, &content(LENGTH), ETAG));
    let folder = tempdir().unwrap();
    let wanted = wanted(&server, Some(sum(&content(LENGTH))));
    let done = std::thread::scope(|scope| {
        let all: Vec<_> = (0..8)
            .map(|_| scope.spawn(|| get(&wanted, folder.path(), false)))
            .collect();
        let told = all.into_iter().map(|one| one.join().unwrap());
        let done = told.filter(|told| match &told.result {
            Ok(_) => true,
            Err(error) => {
                assert!(error.to_string().contains("another process"), "{error}");
                false
            }
        });
        done.count()
    });
    assert!(done >= 1);
    is_whole(&folder);
}

#[test]
fn a_file_that_is_there_is_fetched_again_only_on_request() {
    let server = Server::start(|_, request| Answer::file(request, &content(LENGTH), ETAG));
    let folder = tempdir().unwrap();
    let path = folder.path().join("net.h5");
    let right = wanted(&server, Some(sum(&content(LENGTH))));
    fs::write(&path, content(LENGTH)).unwrap();
    let fetched = get(&right, folder.path(), false).result.unwrap();
    assert!(!fetched.new && fetched.checked);

    fs::write(&path, b"precious").unwrap();
    let message = get(&right, folder.path(), false).message();
    let reason = format!(
        "net.h5: is there already and is another file: expected {}, found {}; --overwrite replaces it",
        sum(&content(LENGTH)),
        sum(b"precious")
    );
    assert!(message.ends_with(&reason), "{message}");
    let fetched = get(&wanted(&server, None), folder.path(), false);
    let fetched = fetched.result.unwrap();
    assert!(!fetched.new && !fetched.checked);
    assert_eq!(fs::read(&path).unwrap(), b"precious");
    assert!(server.requests().is_empty());

    assert!(get(&right, folder.path(), true).result.unwrap().new);
    is_whole(&folder);

    // A failure leaves what was there.
    let wrong = wanted(&server, Some(sum(b"another")));
    assert!(get(&wrong, folder.path(), true).result.is_err());
    is_whole(&folder);
}
