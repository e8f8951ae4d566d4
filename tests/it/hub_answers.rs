//! What the Hub, the network and the disk may do in the middle of a release: each ends as one
//! whole version, or with exit 2, a reason, a fix, and nothing half done.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::Value;
use weighbridge::http::Secret;
use weighbridge::rehearsal::{TokenRole, TokenSpec, Transfers};

use crate::support::front::{Asked, Fate, Front, Reply};
use crate::support::hub_server::HubServer;
use crate::support::workspace::{Run, Workspace};
use crate::support::{intrude, plain_client};

/// Runs without holding up the servers, which live in the same process. No secret may be printed,
/// whatever happens.
fn release(workspace: &Workspace, token: &str) -> Run {
    let run = tokio::task::block_in_place(|| workspace.run(&["release"]));
    assert!(!run.all().contains(token), "the token was printed");
    run
}

/// A release of a healthy model through a front with a script of its own.
async fn released(
    server: &HubServer,
    script: impl Fn(&Asked) -> Fate + Send + Sync + 'static,
) -> (Workspace, Front, Run) {
    released_from(Workspace::healthy(), server, script).await
}

/// As [`released`], of what is in this workspace.
async fn released_from(
    mut workspace: Workspace,
    server: &HubServer,
    script: impl Fn(&Asked) -> Fate + Send + Sync + 'static,
) -> (Workspace, Front, Run) {
    let front = Front::before(&server.hub.url(), script).await;
    let token = server.hub.token();
    workspace.on_hub(&front.url(), token.expose());
    let run = release(&workspace, token.expose());
    (workspace, front, run)
}

/// A healthy model with a file that is too large for a commit.
fn with_weights() -> Workspace {
    let workspace = Workspace::healthy();
    workspace.write("model/weights.bin", vec![7; 11 << 20]);
    workspace.version("v1.0.0");
    workspace
}

/// A fate for the first `times` requests with this method and part of the path.
fn first(
    times: usize,
    method: &'static str,
    part: &'static str,
    fate: Fate,
) -> impl Fn(&Asked) -> Fate + Send + Sync {
    let left = AtomicUsize::new(times);
    move |asked| {
        let meant = asked.method == method && asked.path.contains(part);
        let spoil = meant
            && left
                .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1))
                .is_ok();
        if spoil { fate.clone() } else { Fate::Pass }
    }
}

/// Commits and tags that the Hub has made.
fn made(server: &HubServer) -> (usize, usize) {
    let done = |part: &str| {
        let requests = server.hub.requests();
        let done = requests.iter().filter(|one| {
            one.method == "POST" && one.path.contains(part) && (200..300).contains(&one.status)
        });
        done.count()
    };
    (done("/commit/"), done("/tag/"))
}

#[tokio::test(flavor = "multi_thread")]
async fn refusals_end_the_run_with_a_fix() {
    let cases: [(&str, &str, u16, &str); 8] = [
        ("GET", "/whoami-v2", 401, "hf-token"),
        ("GET", "/refs", 401, "hf-token"),
        ("GET", "/refs", 403, "permission"),
        ("POST", "/repos/create", 403, "hf repos create acme/churn --private"),
        ("POST", "/repos/create", 404, "owner:"),
        ("POST", "/preupload/", 413, "shards"),
        ("POST", "/commit/", 403, "permission"),
        ("POST", "/tag/", 403, "permission"),
    ];
    for (method, part, status, fix) in cases {
        let server = HubServer::start().await;
        let refusal = Fate::Answer(Reply::status(status));
        let (_, front, run) = released(&server, first(99, method, part, refusal)).await;
        let run = run.expect(2);
        let case = format!("{method} {part} {status}\n{}", run.all());
        assert!(run.stderr.contains(&format!("answered {status}: the front says")), "{case}");
        let advice = run.stderr.split_once("fix: ").expect(&case).1;
        assert!(advice.contains(fix), "{case}");
        assert_eq!(front.count(method, part), 1, "a refusal is not argued with: {case}");
        let (commits, tags) = made(&server);
        assert_eq!((commits, tags), (usize::from(part == "/tag/"), 0), "{case}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_conflict_is_no_repository_that_is_there() {
    let conflict = |words: &str| {
        let body = serde_json::json!({ "error": words }).to_string();
        Reply { status: 409, ..Reply::text(&body) }.header("retry-after", "0")
    };
    let create = "/repos/create";
    for (words, times, code, asked) in [
        ("this name belonged to a repository that was renamed", 99, 2, 1),
        ("Cannot create repo: another conflicting operation is in progress", 1, 0, 2),
        ("Cannot create repo: another conflicting operation is in progress", 99, 2, 6),
    ] {
        let server = HubServer::start().await;
        let script = first(times, "POST", create, Fate::Answer(conflict(words)));
        let (_, front, run) = released(&server, script).await;
        let run = run.expect(code).says(words);
        assert_eq!(front.count("POST", create), asked, "{words}: {}", run.all());
        let made_one = usize::from(code == 0);
        assert_eq!(made(&server), (made_one, made_one), "{words}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failure_midway_is_told_in_every_report() {
    let server = HubServer::start().await;
    let refusal = Fate::Answer(Reply::status(403));
    let (workspace, _, run) = released(&server, first(99, "POST", "/commit/", refusal)).await;
    let run = run.expect(2);
    assert!(run.stdout.starts_with("FAILED churn v1.0.0"), "{}", run.all());
    assert!(run.stdout.contains("the version could not be published"), "{}", run.all());
    let report = workspace.report();
    assert!(!report.to_string().contains(server.hub.token().expose()));
    assert_eq!(report["verdict"], "failed");
    assert_eq!(report["publication"], Value::Null);
    assert!(report["failure"]["fix"].as_str().expect("a fix").contains("permission"));
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_that_may_not() {
    let reader = "hf_readerreaderreaderreaderreaderre";
    let server = HubServer::with(|options| {
        let token = Secret::new(reader).expect("a secret");
        options.tokens.push(TokenSpec {
            token,
            user: "ada".into(),
            name: "reader".into(),
            role: TokenRole::Read,
            orgs: vec!["acme".into()],
            created_at: "2026-01-02T03:04:05Z".into(),
        });
        options.namespaces = Some(vec!["others".into()]);
    })
    .await;
    for (token, code, says) in [
        ("hf_unknownunknownunknownunknownunkn", 2, "answered 401"),
        (reader, 1, "token-read-only"),
        (server.hub.token().expose(), 2, "cannot create the repository acme/churn"),
    ] {
        let mut workspace = Workspace::healthy();
        workspace.on_hub(&server.hub.url(), token);
        let run = release(&workspace, token).expect(code);
        assert!(run.all().contains(says), "{}", run.all());
        assert!(run.all().contains("fix: "), "{}", run.all());
    }
    assert_eq!(made(&server), (0, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn busy_servers_are_waited_for() {
    let in_a_second = jiff::Timestamp::now() + jiff::SignedDuration::from_secs(1);
    let date = jiff::fmt::rfc2822::DateTimePrinter::new()
        .timestamp_to_rfc9110_string(&in_a_second)
        .expect("a date");
    let busy = Reply::status(429);
    for (method, part, reply) in [
        ("GET", "/refs", busy.clone().header("retry-after", "1")),
        ("POST", "/preupload/", busy.clone().header("retry-after", date)),
        ("POST", "/objects/batch", busy.clone().header("ratelimit", "\"api\";r=0;t=0")),
        ("POST", "/commit/", busy.header("retry-after", "0")),
        ("PUT", "/storage/basic/", Reply::status(503).header("retry-after", "0")),
        ("GET", "/refs", Reply::status(500).header("retry-after", "0")),
        ("POST", "/tag/", Reply::status(502).header("retry-after", "0")),
    ] {
        let server = HubServer::transferring(Transfers::ForceBasic).await;
        let status = reply.status;
        let script = first(1, method, part, Fate::Answer(reply));
        let (_, _, run) = released_from(with_weights(), &server, script).await;
        let run = run.expect(0);
        assert!(run.stderr.contains(&status.to_string()), "the wait is said: {}", run.all());
        assert_eq!(made(&server), (1, 1), "{part}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn patience_ends() {
    let server = HubServer::start().await;
    let busy = Fate::Answer(Reply::status(429).header("retry-after", "0"));
    let (_, front, run) = released(&server, first(99, "POST", "/preupload/", busy)).await;
    let run = run.expect(2);
    assert!(run.stderr.contains("rate limit"), "{}", run.all());
    assert_eq!(front.count("POST", "/preupload/"), 6);
    assert_eq!(made(&server), (0, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn garbage_is_named() {
    for (method, part) in
        [("GET", "/whoami-v2"), ("GET", "/refs"), ("POST", "/preupload/"), ("GET", "/tree/")]
    {
        let garbage = ["<html>busy</html>", "", "[", "{\"files\": 7}", "null"];
        for body in garbage {
            let server = HubServer::start().await;
            let fate = Fate::Answer(Reply::text(body));
            let (_, _, run) = released(&server, first(99, method, part, fate)).await;
            let run = run.expect(2);
            assert!(run.stderr.contains("cannot be read"), "{part} {body}: {}", run.all());
            assert_eq!(made(&server).1, 0, "{part} {body}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_answer_never_makes_a_second_commit() {
    let lost = [
        ("not landed", Fate::Answer(Reply::status(504))),
        ("landed", Fate::After(Reply::status(504))),
        ("reset", Fate::Reset),
        ("reset, landed", Fate::ResetAfter),
        ("cut", Fate::Cut),
        ("landed, garbage", Fate::After(Reply::text("<html>"))),
        ("landed, conflict", Fate::After(Reply::status(412))),
    ];
    for (name, fate) in lost {
        for part in ["/commit/", "/tag/"] {
            if part == "/tag/" && name == "landed, conflict" {
                continue; // No Hub answers so to a tag.
            }
            let server = HubServer::start().await;
            let (_, _, run) = released(&server, first(1, "POST", part, fate.clone())).await;
            let run = run.expect(0);
            assert_eq!(made(&server).0, 1, "{name} {part}: {}", run.all());
            let refs = refs(&server).await;
            assert_eq!(refs["tags"][0]["name"], "v1.0.0", "{name} {part}");
            assert_eq!(
                refs["tags"][0]["targetCommit"], refs["branches"][0]["targetCommit"],
                "{name} {part}"
            );
        }
    }
}

async fn refs(server: &HubServer) -> Value {
    let url = format!("{}/api/models/acme/churn/refs", server.hub.url());
    let request = plain_client().get(url).bearer_auth(server.hub.token().expose());
    let answer = request.send().await.expect("answers").bytes().await.expect("whole");
    serde_json::from_slice(&answer).expect("JSON")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_branch_that_moves_is_not_overwritten() {
    // Between the look and the preupload, and between the last look and the commit.
    for (part, nth) in [("/preupload/", 1), ("/commit/", 1)] {
        let server = HubServer::start().await;
        let mut workspace = Workspace::healthy();
        let token = server.hub.token();
        workspace.on_hub(&server.hub.url(), token.expose());
        release(&workspace, token.expose()).expect(0);

        let (hub, secret) = (server.hub.url(), token.expose().to_owned());
        let seen = AtomicUsize::new(0);
        let script = move |asked: &Asked| {
            let now = asked.path.contains(part) && seen.fetch_add(1, Ordering::SeqCst) + 1 == nth;
            if now {
                let here = tokio::runtime::Handle::current();
                tokio::task::block_in_place(|| assert!(here.block_on(intrude(&hub, &secret))));
            }
            Fate::Pass
        };
        let front = Front::before(&server.hub.url(), script).await;
        workspace.write("model/model.json", "{\"learner\": {}, \"version\": [3, 0, 1]}\n");
        workspace.version("v1.1.0");
        workspace.on_hub(&front.url(), token.expose());
        let run = release(&workspace, token.expose()).expect(2);
        assert!(run.stderr.contains("somebody else commits to `main`"), "{}", run.all());
        let refs = refs(&server).await;
        assert_eq!(refs["tags"].as_array().map(Vec::len), Some(1), "{part}: {refs}");
        // The next run looks again, and leaves out what is no part of the version.
        workspace.on_hub(&server.hub.url(), token.expose());
        release(&workspace, token.expose()).expect(0).says("1 deleted");
    }
}

/// What may become of a file after it was weighed.
fn spoil(path: &Path, how: &str) {
    let bytes = std::fs::read(path).expect("readable");
    match how {
        "changes" => {
            let mut other = bytes;
            let middle = other.len() / 2;
            other[middle] ^= 1;
            std::fs::write(path, other).expect("writable");
        }
        "shrinks" => std::fs::write(path, &bytes[1..]).expect("writable"),
        "grows" => std::fs::write(path, [&bytes[..], b"!"].concat()).expect("writable"),
        "vanishes" => std::fs::remove_file(path).expect("removed"),
        other => unreachable!("{other}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_not_what_was_weighed_is_not_published() {
    let chunk = 2 << 20;
    for (transfers, at, file) in [
        (Transfers::Auto, "/xet-write-token/", "model/weights.bin"),
        (Transfers::ForceBasic, "/objects/batch", "model/weights.bin"),
        (Transfers::ForceMultipart { chunk }, "/objects/batch", "model/weights.bin"),
        (Transfers::ForceMultipart { chunk }, "/storage/part/", "model/weights.bin"),
        (Transfers::Auto, "/preupload/", "model/config.json"),
    ] {
        for how in ["changes", "shrinks", "grows", "vanishes"] {
            // A file that is open stays readable when its name goes.
            if at == "/storage/part/" && how == "vanishes" {
                continue;
            }
            let server = HubServer::transferring(transfers).await;
            let mut workspace = Workspace::healthy();
            // Many more parts than go out at once: the spoilt one is not read yet.
            workspace.write("model/weights.bin", vec![7; 48 << 20]);
            workspace.sends_by("xet");
            workspace.version("v1.0.0");
            let path = Arc::new(workspace.path().join(file));
            let once = AtomicUsize::new(0);
            let script = move |asked: &Asked| {
                if asked.path.contains(at) && once.fetch_add(1, Ordering::SeqCst) == 0 {
                    spoil(&path, how);
                }
                Fate::Pass
            };
            let front = Front::before(&server.hub.url(), script).await;
            let token = server.hub.token();
            workspace.on_hub(&front.url(), token.expose());
            let run = release(&workspace, token.expose());
            let case = format!("{transfers:?} {at} {how}\n{}", run.all());
            assert_eq!(run.code, 2, "{case}");
            let name = file.trim_start_matches("model/");
            assert!(run.stderr.contains(&format!("`{name}` ")), "{case}");
            assert!(run.stderr.contains("let nothing write to the folder"), "{case}");
            assert_eq!(made(&server), (0, 0), "{case}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_file_never_goes_within_the_commit() {
    let server = HubServer::start().await;
    let answer = r#"{"files":[
        {"path":"LICENSE","uploadMode":"regular","shouldIgnore":false},
        {"path":"README.md","uploadMode":"regular","shouldIgnore":false},
        {"path":"config.json","uploadMode":"regular","shouldIgnore":false},
        {"path":"model.json","uploadMode":"regular","shouldIgnore":false},
        {"path":"weighbridge.json","uploadMode":"regular","shouldIgnore":false},
        {"path":"weights.bin","uploadMode":"regular","shouldIgnore":false}]}"#;
    let script = first(99, "POST", "/preupload/", Fate::Answer(Reply::text(answer)));
    let (_, _, run) = released_from(with_weights(), &server, script).await;
    let run = run
        .expect(2)
        .says("it wants `weights.bin`, of more than 10485760 bytes, within the commit");
    run.says("nothing of v1.0.0 is published");
    assert_eq!(made(&server), (0, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_that_is_too_much_is_built_in_pieces() {
    let busy = |status| Fate::Answer(Reply::status(status).header("retry-after", "0"));
    // A proxy before the Hub may end what takes long without a word.
    for (name, fate, tries) in
        [("413", busy(413), 1), ("504", busy(504), 2), ("reset", Fate::ResetMidway, 2)]
    {
        let server = HubServer::start().await;
        let (_, front, run) = released(&server, first(99, "POST", "/commit/main", fate)).await;
        run.expect(0).says("trying smaller pieces").says("committing part 2 of ");
        assert_eq!(front.count("POST", "/commit/main"), tries, "{name}");
        let refs = refs(&server).await;
        assert_eq!(refs["branches"].as_array().map(Vec::len), Some(1), "{refs}");
        assert_eq!(refs["tags"][0]["targetCommit"], refs["branches"][0]["targetCommit"], "{refs}");
    }
    // Where even single files are too much, it ends, with the setting in its advice.
    let server = HubServer::start().await;
    let much = Fate::Answer(Reply::status(413));
    let (_, _, run) = released(&server, first(999, "POST", "/commit/", much)).await;
    run.expect(2).says("largest-commit").says("nothing of v1.0.0 is published");
    assert_eq!(made(&server), (0, 0));
    assert_eq!(refs(&server).await["branches"].as_array().map(Vec::len), Some(1));
}

#[tokio::test(flavor = "multi_thread")]
async fn addresses_that_ran_out_are_asked_for_again() {
    for (times, code) in [(1, 0), (99, 2)] {
        let server = HubServer::transferring(Transfers::ForceBasic).await;
        let expired = Reply { status: 403, ..Reply::text("<Error>expired</Error>") };
        let workspace = with_weights();
        workspace.sends_by("lfs");
        workspace.version("v1.0.0");
        let script = first(times, "PUT", "/storage/", Fate::Answer(expired));
        let (_, _, run) = released_from(workspace, &server, script).await;
        let run =
            run.expect(code).says("storage refuses the address that the Hub gave for weights.bin");
        let run = run.says("asking for new addresses");
        assert!(!run.all().contains("permission"), "{}", run.all());
        assert_eq!(made(&server), if code == 0 { (1, 1) } else { (0, 0) });
    }
}
