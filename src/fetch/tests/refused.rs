//! What ends without a file.

use super::*;

#[test]
fn a_wrong_checksum_leaves_nothing() {
    let server = Server::start(|_, request| Answer::file(request, &content(LENGTH), ETAG));
    let folder = tempdir().unwrap();
    let told = get(
        &wanted(&server, Some(sum(b"another"))),
        folder.path(),
        false,
    );
    let message = told.message();
    for part in [
        "/a/net.h5: the 1000003 bytes that came are not the wanted file",
        &format!("expected {}", sum(b"another")),
        &format!("found {}", sum(&content(LENGTH))),
    ] {
        assert!(message.contains(part), "{message}");
    }
    assert_eq!(names(&folder), [""; 0]);
    assert_eq!(server.requests().len(), 1);
}

#[test]
fn what_a_server_refuses_is_said_with_the_address() {
    let cases: [(Answer, &str); 7] = [
        (
            Answer::new("404 Not Found", b"<html>"),
            "there is no such file (404 Not Found)",
        ),
        (
            Answer::new("403 Forbidden", b""),
            "the server answers 403 Forbidden",
        ),
        (
            Answer::new("503 Service Unavailable", b""),
            "the server answers 503 Service Unavailable",
        ),
        (
            Answer::new("204 No Content", b""),
            "the server answers 204 No Content",
        ),
        (
            Answer::new("200 OK", b"x").with("Content-Encoding", "gzip"),
            "compressed",
        ),
        (
            Answer::new("200 OK", b"x").with("Content-Length", "9000000000"),
            "the file has 9000000000 bytes or more; convscope fetches up to 8589934592",
        ),
        (
            Answer::new("206 Partial Content", b"xyz").with("Content-Range", "bytes 0-2/10"),
            "the server sends a part of the file, and was asked for the whole",
        ),
    ];
    for (answer, reason) in cases {
        let status = format!("{answer:?}");
        let server = Server::start(move |_, _| answer.clone());
        let folder = tempdir().unwrap();
        let told = get(&wanted(&server, None), folder.path(), false);
        let message = told.message();
        let start = format!("{}: ", server.url("a/net.h5"));
        assert!(message.starts_with(&start), "{message}");
        assert!(message.contains(reason), "{message}");
        assert_eq!(names(&folder), [""; 0], "{status}");
    }
}

#[test]
fn nobody_at_the_address_is_told_at_once() {
    let server = Server::start(|_, _| Answer::new("200 OK", b""));
    let mut nobody = wanted(&server, None);
    let folder = tempdir().unwrap();
    // A port that was free a moment ago.
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = free.local_addr().unwrap().port();
    drop(free);
    nobody.address = Address::parse(&format!("http://127.0.0.1:{port}/net.h5")).unwrap();
    let told = get(&nobody, folder.path(), false);
    assert!(told.message().contains("refused"), "{}", told.message());
    assert_eq!(told.events, [""; 0]);
    assert_eq!(names(&folder), [""; 0]);
}

#[test]
fn what_is_in_the_way_is_named() {
    let server = Server::start(|_, request| Answer::file(request, &content(LENGTH), ETAG));
    let folder = tempdir().unwrap();
    let wanted = wanted(&server, None);
    fs::create_dir(folder.path().join("net.h5")).unwrap();
    let message = get(&wanted, folder.path(), true).message();
    assert!(
        message.ends_with("net.h5: is in the way: it is a folder"),
        "{message}"
    );
    fs::remove_dir(folder.path().join("net.h5")).unwrap();
    fs::create_dir(folder.path().join("net.h5.part")).unwrap();
    let message = get(&wanted, folder.path(), false).message();
    assert!(
        message.ends_with("net.h5.part: is in the way: it is not a file"),
        "{message}"
    );
    fs::write(folder.path().join("file"), b"").unwrap();
    let message = get(&wanted, &folder.path().join("file"), false).message();
    assert!(
        message.ends_with("file: is not a folder to put a file into"),
        "{message}"
    );
    assert!(server.requests().is_empty());
}
