//! Names of models, names of files, and the cache.

use super::*;

/// A list of one model on a server of this machine.
fn list(server: &Server, digest: &Digest) -> List {
    List::parse(&format!(
        "[[model]]\nname = 'net'\nwhat = 'A net'\nurl = '{}'\nsize = {LENGTH}\nmd5 = '{}'\nlicence = 'MIT'\n\
         source = 'here'\n",
        server.url("a/net.h5"),
        digest.digits()
    ))
    .unwrap()
}

#[test]
fn names_and_addresses_say_what_is_wanted() {
    let server = Server::start(|_, request| Answer::file(request, &content(LENGTH), ETAG));
    let digest = sum(&content(LENGTH));
    let list = list(&server, &digest);
    let named = Wanted::parse(&list, "NET").unwrap();
    assert_eq!(named.address.as_str(), server.url("a/net.h5"));
    assert_eq!(
        (named.digest, named.size),
        (Some(digest), Some(LENGTH as u64))
    );

    let plain = Wanted::parse(&list, "https://example.org/net.h5").unwrap();
    assert_eq!((plain.digest, plain.size), (None, None));
    for text in ["nets", "net.h5", "./net", "a\u{1b}b"] {
        let message = Wanted::parse(&list, text).unwrap_err().to_string();
        let reason = "is neither the name of a model (net) nor an address (http://, https://)";
        assert!(message.ends_with(reason), "{message}");
        assert!(!message.contains(char::is_control));
    }
    let message = Wanted::parse(&list, "file:///etc/passwd")
        .unwrap_err()
        .to_string();
    assert!(
        message.contains("the address 'file:///etc/passwd'"),
        "{message}"
    );
}

#[test]
fn the_checksum_in_a_name_is_compared() {
    let mut hasher = Hasher::new(Algorithm::Sha256);
    hasher.update(&content(LENGTH));
    let right = hasher.finish().digits()[..8].to_owned();
    let server = Server::start(|_, request| Answer::file(request, &content(LENGTH), ETAG));
    let folder = tempdir().unwrap();
    let list = List::known().unwrap();
    let wanted =
        |digits: &str| Wanted::parse(&list, &server.url(&format!("net-{digits}.pth"))).unwrap();
    let fetched = get(&wanted(&right), folder.path(), false).result.unwrap();
    assert!(fetched.checked);
    assert_eq!(names(&folder), [format!("net-{right}.pth")]);
    let message = get(&wanted("01234567"), folder.path(), false).message();
    let part = format!("expected SHA-256 01234567..., found SHA-256 {right}");
    assert!(message.contains(&part), "{message}");
    assert_eq!(names(&folder).len(), 1);
}

#[test]
fn a_fetched_model_is_found_by_its_name() {
    let server = Server::start(|_, request| Answer::file(request, &content(LENGTH), ETAG));
    let list = list(&server, &sum(&content(LENGTH)));
    let folder = tempdir().unwrap();
    let cache = Cache::in_folder(folder.path().join("models"));
    let resolve = |name: &str| cache.resolve(&list, Path::new(name));

    let message = resolve("net").unwrap_err().to_string();
    assert_eq!(message, "net is not fetched yet: run convscope fetch net");
    let wanted = Wanted::parse(&list, "net").unwrap();
    let path = get(&wanted, cache.folder(), false).result.unwrap().path;
    assert_eq!(resolve("net").unwrap(), path);
    assert_eq!(resolve("NET").unwrap(), path);
    assert_eq!(resolve("net.h5").unwrap(), path);
    assert_eq!(cache.find(&list.entries()[0]), Some(path.clone()));

    // Paths, and names of neither, stay as they are.
    for other in [
        "./net",
        "models/net.h5",
        "/net",
        "other.h5",
        "..",
        "",
        "net.h5.part",
    ] {
        assert_eq!(resolve(other).unwrap(), Path::new(other));
    }
    // So do files: the tests run where this one is. A folder of a model's name can't be meant.
    assert_eq!(resolve("Cargo.toml").unwrap(), Path::new("Cargo.toml"));
    fs::write(cache.folder().join("Cargo.toml"), b"").unwrap();
    assert_eq!(resolve("Cargo.toml").unwrap(), Path::new("Cargo.toml"));
}

#[test]
fn other_files_in_the_cache_are_listed() {
    let server = Server::start(|_, _| Answer::new("200 OK", b""));
    let list = list(&server, &sum(b""));
    let folder = tempdir().unwrap();
    let cache = Cache::in_folder(folder.path().join("models"));
    assert!(cache.others(&list).unwrap().is_empty());
    fs::create_dir_all(cache.folder().join("folder")).unwrap();
    for name in [
        "b.h5",
        "a.h5",
        "a.toml",
        "net.h5",
        "c.h5.part",
        "c.h5.part.json",
    ] {
        fs::write(cache.folder().join(name), b"").unwrap();
    }
    let others = cache.others(&list).unwrap();
    assert_eq!(
        others,
        ["a.h5", "b.h5"].map(|name| cache.folder().join(name))
    );
}
