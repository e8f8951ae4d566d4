//! The Hub's surface, asked for over real connections: what no official client asks for, or asks
//! for only when it goes wrong.

use std::time::Duration;

use reqwest::{Client, Method, RequestBuilder, Response, StatusCode};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::AsyncWriteExt as _;

use super::*;
use crate::digest::Digest;
use crate::http::Secret;

/// A Hub in a folder of its own, and a client of it.
struct Running {
    hub: EmbeddedHub,
    client: Client,
    _folder: TempDir,
}

impl Running {
    async fn start() -> Self {
        Self::with(|_| {}).await
    }

    async fn with(change: impl FnOnce(&mut HubOptions)) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let mut options = HubOptions::new(folder.path());
        change(&mut options);
        let hub = EmbeddedHub::start(options).await.expect("starts");
        Self { hub, client: Client::new(), _folder: folder }
    }

    fn anonymous(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, format!("{}{path}", self.hub.url()))
    }

    fn ask(&self, method: Method, path: &str) -> RequestBuilder {
        self.anonymous(method, path).bearer_auth(self.hub.token().expose())
    }

    async fn get(&self, path: &str) -> Value {
        json_of(self.ask(Method::GET, path).send().await.expect("answers")).await
    }

    async fn post(&self, path: &str, body: &Value) -> Response {
        self.ask(Method::POST, path).body(body.to_string()).send().await.expect("answers")
    }

    async fn create(&self, name: &str) {
        let body = json!({ "name": name, "organization": "acme", "private": true });
        assert_eq!(self.post("/api/repos/create", &body).await.status(), StatusCode::OK);
    }

    async fn commit(&self, repo: &str, lines: &[Value]) -> Response {
        let header = json!({ "key": "header", "value": { "summary": "test" } });
        let lines = std::iter::once(&header).chain(lines);
        let body = lines.map(Value::to_string).collect::<Vec<_>>().join("\n");
        let path = format!("/api/models/{repo}/commit/main");
        self.ask(Method::POST, &path).body(body).send().await.expect("answers")
    }

    async fn batch(&self, objects: &Value) -> Value {
        let body = json!({ "operation": "upload", "transfers": ["basic"], "objects": objects });
        json_of(self.post("/acme/churn.git/info/lfs/objects/batch", &body).await).await
    }
}

async fn json_of(response: Response) -> Value {
    assert!(response.status().is_success(), "{}", response.status());
    response.json().await.expect("JSON")
}

fn token(value: &str, role: TokenRole) -> TokenSpec {
    TokenSpec {
        token: Secret::new(value).expect("a value"),
        user: "ann".into(),
        name: value.into(),
        role,
        orgs: vec!["acme".into()],
        created_at: "2026-01-02T03:04:05.000Z".into(),
    }
}

fn file(path: &str, text: &str) -> Value {
    json!({ "key": "file", "value": { "path": path, "content": text, "encoding": "utf-8" } })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_goes_as_far_as_its_role() {
    let scope = TokenScope {
        entity: "acme/churn".into(),
        permissions: vec!["repo.content.read".into(), "repo.write".into()],
    };
    let running = Running::with(|options| {
        options.tokens = vec![
            token("hf_read", TokenRole::Read),
            token("hf_fine", TokenRole::FineGrained(vec![scope])),
        ];
    })
    .await;
    running.create("churn").await;
    running.create("other").await;
    let ask = async |token: &str, path: &str| {
        let request = running.anonymous(Method::GET, path).bearer_auth(token);
        request.send().await.expect("answers").status().as_u16()
    };
    let write = |repo: &str| format!("/api/models/acme/{repo}/auth-check/write");
    assert_eq!(ask("hf_read", "/api/models/acme/churn/auth-check").await, 200);
    assert_eq!(ask("hf_read", &write("churn")).await, 403);
    assert_eq!(ask("hf_fine", &write("churn")).await, 200);
    assert_eq!(ask("hf_fine", &write("other")).await, 404, "private, and not in its scopes");
    assert_eq!(ask("hf_nobody", &write("churn")).await, 401);
    let stranger = running.anonymous(Method::GET, &write("churn")).send().await.expect("answers");
    assert_eq!(stranger.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(stranger.headers()["x-error-code"], "RepoNotFound");
    let who = running.anonymous(Method::GET, "/api/whoami-v2").bearer_auth("hf_fine");
    let who = json_of(who.send().await.expect("answers")).await;
    let shown = &who["auth"]["accessToken"];
    assert_eq!(shown["role"], "fineGrained");
    assert_eq!(shown["createdAt"], "2026-01-02T03:04:05.000Z");
    assert_eq!(shown["fineGrained"]["scoped"][0]["entity"]["name"], "acme/churn");
    assert_eq!(shown["fineGrained"]["scoped"][0]["permissions"][1], "repo.write");
    assert_eq!(who["orgs"][0]["name"], "acme");
}

#[tokio::test(flavor = "multi_thread")]
async fn scopes_are_told_by_what_they_are_on() {
    let scope = |entity: &str, permission: &str| TokenScope {
        entity: entity.into(),
        permissions: vec![permission.into()],
    };
    let scopes = vec![
        scope("datasets/acme/log", "repo.write"),
        scope("resource-groups/Risk", "repo.write"),
        scope("ann", "repo.content.read"),
        scope("acme", "repo.content.read"),
        scope("*", "discussion.write"),
    ];
    let running = Running::with(|options| {
        options.tokens = vec![token("hf_fine", TokenRole::FineGrained(scopes))];
        options.namespaces = Some(vec!["acme".into()]);
    })
    .await;
    let who = async |request: reqwest::RequestBuilder| {
        let told = json_of(request.send().await.expect("answers")).await;
        told["auth"]["accessToken"]["fineGrained"].clone()
    };
    let fine = who(running.anonymous(Method::GET, "/api/whoami-v2").bearer_auth("hf_fine")).await;
    let each = fine["scoped"].as_array().expect("scopes").iter();
    let told: Vec<_> = each
        .map(|scope| format!("{} {}", scope["entity"]["type"], scope["entity"]["name"]))
        .collect();
    let expected = ["dataset acme/log", "resource-group Risk", "user ann", "org acme"].map(|one| {
        let (kind, name) = one.split_once(' ').expect("two words");
        format!("\"{kind}\" \"{name}\"")
    });
    assert_eq!(told, expected);
    assert_eq!(fine["global"], json!(["discussion.write"]));
    // The default token is one of what is there.
    let default = async || who(running.ask(Method::GET, "/api/whoami-v2")).await["scoped"].clone();
    assert_eq!(default().await, json!([]));
    running.create("churn").await;
    let made = default().await;
    assert_eq!(made[0]["entity"]["name"], "acme/churn");
    assert_eq!(made[0]["permissions"], json!(["repo.content.read", "repo.write"]));
}

#[tokio::test(flavor = "multi_thread")]
async fn only_known_namespaces_can_be_written_to() {
    let running = Running::with(|options| options.namespaces = Some(vec!["acme".into()])).await;
    running.create("churn").await;
    let body = json!({ "name": "churn", "organization": "unknown" });
    let refused = running.post("/api/repos/create", &body).await;
    assert_eq!(refused.status(), StatusCode::FORBIDDEN);
    assert!(refused.headers()["x-error-message"].to_str().expect("text").contains("unknown"));
}

#[tokio::test(flavor = "multi_thread")]
async fn preupload_tells_what_is_large_ignored_and_there_already() {
    let running = Running::with(|options| options.lfs_threshold = 1000).await;
    running.create("churn").await;
    assert!(running.commit("acme/churn", &[file("a.txt", "hello\n")]).await.status().is_success());
    let body = json!({
        "gitIgnore": "*.tmp\n",
        "files": [
            { "path": "a.txt", "size": 6, "sample": "" },
            { "path": "big.txt", "size": 1001, "sample": "" },
            { "path": "tiny.safetensors", "size": 1, "sample": "" },
            { "path": "empty.bin", "size": 0, "sample": "" },
            { "path": "x.tmp", "size": 1, "sample": "" },
        ],
    });
    let answer = json_of(running.post("/api/models/acme/churn/preupload/main", &body).await).await;
    let modes = ["regular", "lfs", "lfs", "regular", "regular"];
    for (file, mode) in answer["files"].as_array().expect("files").iter().zip(modes) {
        assert_eq!(file["uploadMode"], mode, "{file}");
        assert_eq!(file["shouldIgnore"], file["path"] == "x.tmp", "{file}");
    }
    // `printf 'hello\n' | git hash-object --stdin`
    assert_eq!(answer["files"][0]["oid"], "ce013625030ba8dba906f756967f9e9ca394464a");
    assert_eq!(answer["files"][1].get("oid"), None);
    let head = running.get("/api/models/acme/churn").await;
    assert_eq!(answer["commitOid"], head["sha"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn large_files_must_be_what_they_say() {
    let running = Running::start().await;
    running.create("churn").await;
    let oid = Digest::of(b"weights").to_string();
    let large = |size: u64| {
        json!({ "key": "lfsFile",
            "value": { "path": "w.bin", "algo": "sha256", "oid": oid, "size": size } })
    };
    let missing = running.commit("acme/churn", &[large(7)]).await;
    assert_eq!(missing.status(), StatusCode::BAD_REQUEST);
    let pointer = format!("version https://git-lfs.github.com/spec/v1\noid sha256:{oid}\nsize 7\n");
    let smuggled = running.commit("acme/churn", &[file("w.bin", &pointer)]).await;
    assert_eq!(smuggled.status(), StatusCode::BAD_REQUEST, "a pointer to nothing");

    let objects = json!([{ "oid": oid, "size": 7 }, { "oid": "xyz", "size": 1 }]);
    let answer = running.batch(&objects).await;
    assert_eq!(answer["transfer"], "basic");
    assert_eq!(answer["objects"][1]["error"]["code"], 422);
    let href = answer["objects"][0]["actions"]["upload"]["href"].as_str().expect("an href");
    for (body, status) in [("weighty", 400), ("weights and more", 400), ("weights", 200)] {
        let answered = running.client.put(href).body(body).send().await.expect("answers");
        assert_eq!(answered.status().as_u16(), status, "{body}");
    }
    let forged = href.replace("/7/", "/8/");
    let answered = running.client.put(forged).body("weights!").send().await.expect("answers");
    assert_eq!(answered.status(), StatusCode::FORBIDDEN);
    assert_eq!(running.batch(&objects).await["objects"][0].get("actions"), None, "there already");
    assert_eq!(running.commit("acme/churn", &[large(8)]).await.status(), StatusCode::BAD_REQUEST);
    assert!(running.commit("acme/churn", &[large(7)]).await.status().is_success());
    let logged = running.hub.requests();
    assert!(logged.iter().all(|one| !one.path.contains("/storage/") || one.path.len() < 100));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_that_breaks_off_changes_nothing() {
    let running = Running::start().await;
    running.create("churn").await;
    let before = running.get("/api/models/acme/churn").await["sha"].clone();
    let address = running.hub.url().replace("http://", "");
    let mut stream = tokio::net::TcpStream::connect(&address).await.expect("connects");
    let line = format!(
        "{}\n{}\n",
        json!({ "key": "header", "value": { "summary": "half" } }),
        file("a.txt", "half a commit"),
    );
    let request = format!(
        "POST /api/models/acme/churn/commit/main HTTP/1.1\r\nhost: {address}\r\n\
         authorization: Bearer {}\r\ncontent-length: 100000\r\n\r\n{line}",
        running.hub.token().expose(),
    );
    stream.write_all(request.as_bytes()).await.expect("writes");
    stream.shutdown().await.expect("closes");
    let mut rest = Vec::new();
    let _ = tokio::io::AsyncReadExt::read_to_end(&mut stream, &mut rest).await;
    assert_eq!(running.get("/api/models/acme/churn").await["sha"], before);
    assert!(running.commit("acme/churn", &[file("a.txt", "whole")]).await.status().is_success());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_card_that_the_hub_would_refuse_is_refused() {
    let running = Running::start().await;
    running.create("churn").await;
    let bad = "---\n- a\n- list\n---\n# Hi\n";
    for (card, status) in [(bad, 400), ("---\nlicense: mit\n---\n", 200), ("# Hi", 200)] {
        let checked = json!({ "content": card, "repoType": "model" });
        let checked = running.post("/api/validate-yaml", &checked).await;
        assert_eq!(checked.status().as_u16(), status, "{card:?}");
        let committed = running.commit("acme/churn", &[file("README.md", card)]).await;
        assert_eq!(committed.status().as_u16(), status, "{card:?}");
        if status == 400 {
            let problems: Value = checked.json().await.expect("JSON");
            assert!(problems["errors"][0]["message"].is_string(), "{problems}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_branch_moves_only_when_told_to() {
    let running = Running::start().await;
    running.create("churn").await;
    let first = running.get("/api/models/acme/churn").await["sha"].clone();
    assert!(running.commit("acme/churn", &[file("a.txt", "1")]).await.status().is_success());
    let branch = "/api/models/acme/churn/branch/production";
    let at =
        |start: &Value, overwrite: bool| json!({ "startingPoint": start, "overwrite": overwrite });
    assert!(running.post(branch, &at(&json!("main"), false)).await.status().is_success());
    assert_eq!(running.post(branch, &at(&first, false)).await.status(), StatusCode::CONFLICT);
    assert!(running.post(branch, &at(&first, true)).await.status().is_success());
    let moved = running.get("/api/models/acme/churn/revision/production").await;
    assert_eq!(moved["sha"], first);
    let main = running.ask(Method::DELETE, "/api/models/acme/churn/branch/main");
    assert_eq!(main.send().await.expect("answers").status(), StatusCode::FORBIDDEN);
    for bad in ["a..b", "refs%2Fheads%2Fx", &"a".repeat(40)] {
        let path = format!("/api/models/acme/churn/branch/{bad}");
        assert_eq!(
            running.post(&path, &json!({})).await.status(),
            StatusCode::BAD_REQUEST,
            "{bad}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tree_comes_in_pages() {
    let running = Running::start().await;
    running.create("churn").await;
    let files: Vec<Value> = (0..5).map(|n| file(&format!("d/{n}.txt"), "x")).collect();
    assert!(running.commit("acme/churn", &files).await.status().is_success());
    let mut next = Some(format!("{}/api/models/acme/churn/tree/main/d?limit=2", running.hub.url()));
    let mut paths = Vec::new();
    while let Some(url) = next {
        let request = running.client.get(url).bearer_auth(running.hub.token().expose());
        let answer = request.send().await.expect("answers");
        next = answer.headers().get("link").map(|link| {
            let link = link.to_str().expect("text");
            link[1..link.find('>').expect("an end")].to_owned()
        });
        let page = json_of(answer).await;
        assert!(page.as_array().expect("a list").len() <= 2);
        paths.extend(page.as_array().expect("a list").iter().map(|one| one["path"].clone()));
    }
    assert_eq!(paths, ["d/0.txt", "d/1.txt", "d/2.txt", "d/3.txt", "d/4.txt"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn rate_limits_are_told_and_kept_when_asked_for() {
    let limit = RateLimit { quota: 2, window: Duration::from_mins(5) };
    let running = Running::with(|options| options.rate_limit = Some(limit)).await;
    for left in ["r=1", "r=0"] {
        let answer = running.ask(Method::GET, "/api/whoami-v2").send().await.expect("answers");
        assert!(answer.status().is_success());
        assert!(answer.headers()["ratelimit"].to_str().expect("text").contains(left));
    }
    let refused = running.ask(Method::GET, "/api/whoami-v2").send().await.expect("answers");
    assert_eq!(refused.status(), StatusCode::TOO_MANY_REQUESTS);
    assert!(refused.headers().contains_key("ratelimit-policy"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_file_scan_says_what_it_was_set_up_to_say() {
    let issue = ScanIssue { path: "bad.pkl".into(), level: "unsafe".into() };
    let running = Running::with(|options| options.scan_issues = vec![issue]).await;
    running.create("churn").await;
    let scan = running.get("/api/models/acme/churn/scan").await;
    let issues = json!([{ "path": "bad.pkl", "level": "unsafe" }]);
    assert_eq!(scan, json!({ "scansDone": true, "filesWithIssues": issues }));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_shows_the_card_to_those_who_may_see_it() {
    let running = Running::start().await;
    running.create("churn").await;
    let card = "---\nlicense: mit\n---\n# Churn <script>alert(1)</script>\n";
    assert!(running.commit("acme/churn", &[file("README.md", card)]).await.status().is_success());
    let page = running.anonymous(Method::GET, "/acme/churn");
    let answer = page.send().await.expect("answers");
    let policy = answer.headers()["content-security-policy"].to_str().expect("text").to_owned();
    assert!(policy.starts_with("default-src 'none'"), "{policy}");
    let page = answer.text().await.expect("text");
    assert!(page.contains("Churn") && page.contains("mit") && !page.contains("<script"), "{page}");
    for path in ["/", "/acme/churn"] {
        let foreign = running.anonymous(Method::GET, path).header("host", "rebound.example");
        let page = foreign.send().await.expect("answers").text().await.expect("text");
        assert!(!page.contains("churn"), "{path} shows a private model to a foreign page");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn hostile_paths_find_nothing() {
    let running = Running::start().await;
    running.create("churn").await;
    for path in [
        "/acme/churn/resolve/main/..%2f..%2f..%2ftoken",
        "/acme/churn/resolve/..%2fmain/README.md",
        "/acme/..%2f..%2ftoken",
        "/api/models/..%2f..%2ftmp/x",
        "/api/models/acme/churn/tree/main/%2e%2e",
        "/storage/basic/abc/1/s/x",
        "/nowhere/at/all",
    ] {
        let answer = running.ask(Method::GET, path).send().await.expect("answers");
        assert!(answer.status().is_client_error(), "{path}: {}", answer.status());
    }
    for path in ["../x", ".git/config", "a/../../x", "a\nb", "/etc/passwd"] {
        let answer = running.commit("acme/churn", &[file(path, "x")]).await;
        assert_eq!(answer.status(), StatusCode::BAD_REQUEST, "{path:?}");
    }
}
