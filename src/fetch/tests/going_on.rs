//! Connections that break, and what is kept of a file.

use super::*;

#[test]
fn a_connection_that_breaks_is_gone_on_with() {
    let server = Server::start(|before, request| {
        let answer = Answer::file(request, &content(LENGTH), ETAG);
        match before {
            0 => answer.cut(400_000),
            1 => answer.cut(100_000),
            _ => answer,
        }
    });
    let folder = tempdir().unwrap();
    let told = get(&wanted(&server, None), folder.path(), false);
    assert!(!told.result.unwrap().checked);
    is_whole(&folder);
    assert_eq!(begins(&server), [None, Some(400_000), Some(500_000)]);
    assert_eq!(server.requests()[1].header("if-range"), Some(ETAG));
    assert_eq!(told.events.len(), 2, "{:?}", told.events);
}

#[test]
fn a_server_that_falls_silent_is_asked_again() {
    let server = Server::start(|before, request| {
        let answer = Answer::file(request, &content(LENGTH), ETAG);
        if before == 0 {
            answer.stalled(400_000)
        } else {
            answer
        }
    });
    let folder = tempdir().unwrap();
    let silence = Duration::from_secs(1);
    let told = get_within(silence, &wanted(&server, None), folder.path(), false);
    told.result.unwrap();
    is_whole(&folder);
    assert_eq!(begins(&server)[1], Some(400_000));
    assert_eq!(told.events[0], "Again(\"nothing came for 1 seconds\")");
}

#[test]
fn what_came_is_kept_for_the_next_call() {
    let server = Server::start(|before, request| {
        let answer = Answer::file(request, &content(LENGTH), ETAG);
        if before < 4 { answer.cut(1000) } else { answer }
    });
    let folder = tempdir().unwrap();
    let wanted = wanted(&server, None);
    let told = get(&wanted, folder.path(), false);
    assert_eq!(told.events.len(), 3);
    let message = told.message();
    assert!(
        message.contains("the 4000 bytes that came are kept"),
        "{message}"
    );
    assert_eq!(names(&folder), ["net.h5.part", "net.h5.part.json"]);

    let told = get(&wanted, folder.path(), false);
    assert_eq!(told.events, ["GoingOn(4000)"]);
    is_whole(&folder);
    assert_eq!(begins(&server)[3..], [Some(3000), Some(4000)]);
}

#[test]
fn a_server_that_knows_no_ranges_is_asked_from_the_start() {
    let server = Server::start(|before, _| {
        let answer = Answer::new("200 OK", &content(LENGTH)).with("ETag", ETAG);
        if before == 0 {
            answer.cut(400_000)
        } else {
            answer
        }
    });
    let folder = tempdir().unwrap();
    let told = get(&wanted(&server, None), folder.path(), false);
    told.result.unwrap();
    is_whole(&folder);
    assert_eq!(begins(&server), [None, Some(400_000)]);
}

#[test]
fn without_checksum_and_version_nothing_is_gone_on_with() {
    let answer = |before, request: &Request| {
        let answer = Answer::file(request, &content(LENGTH), ETAG).with("ETag", "W/\"weak\"");
        if before == 0 {
            answer.cut(400_000)
        } else {
            answer
        }
    };
    let server = Server::start(answer);
    let folder = tempdir().unwrap();
    get(&wanted(&server, None), folder.path(), false)
        .result
        .unwrap();
    is_whole(&folder);
    assert_eq!(begins(&server), [None, None]);

    // The checksum would tell.
    let server = Server::start(answer);
    let folder = tempdir().unwrap();
    let digest = sum(&content(LENGTH));
    get(&wanted(&server, Some(digest)), folder.path(), false)
        .result
        .unwrap();
    is_whole(&folder);
    assert_eq!(begins(&server), [None, Some(400_000)]);
    assert_eq!(server.requests()[1].header("if-range"), None);
}

#[test]
fn another_version_meanwhile_is_not_mixed_with_the_first() {
    let old = vec![0; LENGTH];
    // The second server doesn't look at If-Range.
    for looks in [true, false] {
        let old = old.clone();
        let server = Server::start(move |before, request| {
            if before == 0 {
                return Answer::file(request, &old, ETAG).cut(400_000);
            }
            let etag = "\"second\"";
            let answer = Answer::file(request, &content(LENGTH), etag);
            match request.from() {
                Some(from) if !looks => {
                    Answer::new("206 Partial Content", &content(LENGTH)[from..])
                        .with(
                            "Content-Range",
                            &format!("bytes {from}-{}/{LENGTH}", LENGTH - 1),
                        )
                        .with("ETag", etag)
                }
                _ => answer,
            }
        });
        let folder = tempdir().unwrap();
        let told = get(&wanted(&server, None), folder.path(), false);
        told.result.unwrap();
        is_whole(&folder);
        let requests = server.requests().len();
        assert_eq!(requests, if looks { 2 } else { 3 }, "{:?}", told.events);
    }
}

#[test]
fn a_kept_part_that_is_wrong_is_fetched_anew_once() {
    let server = Server::start(|_, request| Answer::file(request, &content(LENGTH), ETAG));
    let wanted_file = wanted(&server, Some(sum(&content(LENGTH))));
    let folder = tempdir().unwrap();
    let keep = |bytes: &[u8]| {
        fs::write(folder.path().join("net.h5.part"), bytes).unwrap();
        let note = format!(
            r#"{{"address":"{}","validator":null}}"#,
            wanted_file.address
        );
        fs::write(folder.path().join("net.h5.part.json"), note).unwrap();
    };
    keep(&[9; 1000]);
    let told = get(&wanted_file, folder.path(), false);
    told.result.unwrap();
    assert_eq!(told.events, ["GoingOn(1000)", "Anew"]);
    is_whole(&folder);
    assert_eq!(begins(&server), [Some(1000), None]);

    // Longer than the file.
    fs::remove_file(folder.path().join("net.h5")).unwrap();
    keep(&vec![9; LENGTH + 1]);
    get(&wanted_file, folder.path(), false).result.unwrap();
    is_whole(&folder);

    // Once only, if the server's file is wrong too.
    fs::remove_file(folder.path().join("net.h5")).unwrap();
    keep(&[9; 1000]);
    let before = server.requests().len();
    let told = get(
        &wanted(&server, Some(sum(b"another"))),
        folder.path(),
        false,
    );
    assert!(told.message().contains("not the wanted file"));
    assert_eq!(server.requests().len() - before, 2);
    assert_eq!(names(&folder), [""; 0]);
}

#[test]
fn a_part_that_is_whole_already_needs_no_more_bytes() {
    let server = Server::start(|_, request| Answer::file(request, &content(LENGTH), ETAG));
    let wanted = wanted(&server, Some(sum(&content(LENGTH))));
    let folder = tempdir().unwrap();
    fs::write(folder.path().join("net.h5.part"), content(LENGTH)).unwrap();
    let note = format!(r#"{{"address":"{}","validator":null}}"#, wanted.address);
    fs::write(folder.path().join("net.h5.part.json"), note).unwrap();
    let told = get(&wanted, folder.path(), false);
    told.result.unwrap();
    is_whole(&folder);
    assert_eq!(begins(&server), [Some(LENGTH)]);
    assert_eq!(told.bytes, None);
}

#[test]
fn a_part_of_another_address_or_without_a_note_is_not_taken_up() {
    for note in [
        "",
        "[1, 2",
        r#"{"address":"http://127.0.0.1/other/net.h5","validator":"x"}"#,
    ] {
        let server = Server::start(|_, request| Answer::file(request, &content(LENGTH), ETAG));
        let folder = tempdir().unwrap();
        fs::write(folder.path().join("net.h5.part"), [9; 1000]).unwrap();
        if !note.is_empty() {
            fs::write(folder.path().join("net.h5.part.json"), note).unwrap();
        }
        let told = get(&wanted(&server, None), folder.path(), false);
        told.result.unwrap();
        is_whole(&folder);
        assert_eq!(begins(&server), [None]);
        assert_eq!(told.events, [""; 0]);
    }
}

#[test]
fn more_than_was_announced_is_not_taken() {
    let server = Server::start(|before, request| {
        let answer = Answer::file(request, &content(LENGTH), ETAG);
        match before {
            0 => answer.cut(1000),
            _ => answer.with("Content-Range", "bytes 1000-1099/1100"),
        }
    });
    let folder = tempdir().unwrap();
    let message = get(&wanted(&server, None), folder.path(), false).message();
    assert!(
        message.ends_with("the server sends more than the 1100 bytes it has announced"),
        "{message}"
    );
    assert!(!folder.path().join("net.h5").exists());
}
