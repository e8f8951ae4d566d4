//! Waits are said, with what they are for, and end.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use weighbridge::rehearsal::Transfers;

use super::setting::noise;
use crate::support::front::{Asked, Fate, Front, Reply};
use crate::support::hub_server::HubServer;
use crate::support::workspace::{Run, Workspace};

const KIB: usize = 1024;

async fn release(
    transfers: Transfers,
    arguments: &[&str],
    script: impl Fn(&Asked) -> Fate + Send + Sync + 'static,
) -> (Workspace, Run) {
    let server = HubServer::with(|options| {
        options.lfs_transfer = transfers;
        options.lfs_threshold = 64 * KIB as u64;
    })
    .await;
    let front = Front::before(&server.hub.url(), script).await;
    let mut workspace = Workspace::healthy();
    workspace.sends_by("xet");
    workspace.write("model/weights/a.bin", noise(1, 300 * KIB));
    workspace.version("v1.0.0");
    workspace.on_hub(&front.url(), server.hub.token().expose());
    let arguments: Vec<_> = ["release"].iter().chain(arguments).copied().collect();
    let run = tokio::task::block_in_place(|| workspace.run(&arguments));
    (workspace, run)
}

/// This fate for the first request that has `part` in its path.
fn once(part: &'static str, fate: Fate) -> impl Fn(&Asked) -> Fate + Send + Sync {
    let seen = AtomicUsize::new(0);
    move |asked| {
        let now = asked.path.contains(part) && seen.fetch_add(1, Ordering::SeqCst) == 0;
        if now { fate.clone() } else { Fate::Pass }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wait_names_the_part_and_the_file() {
    let busy = || Fate::Answer(Reply::status(503).header("retry-after", "0"));
    for (transfers, part, named) in [
        (Transfers::ForceBasic, "/storage/basic/", "weights/a.bin: "),
        (Transfers::ForceMultipart { chunk: 128 * 1024 }, "/storage/part/", " of weights/a.bin: "),
        (Transfers::ForceMultipart { chunk: 128 * 1024 }, "/storage/complete/", "weights/a.bin: "),
    ] {
        let (_, run) = release(transfers, &[], once(part, busy())).await;
        let run = run.expect(0);
        let line = run.stderr.lines().find(|line| line.contains("trying again in 0.0 s"));
        let line = line.unwrap_or_else(|| panic!("{}", run.all()));
        assert!(line.contains(named) && line.contains("answered 503"), "{line}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_is_cut_is_asked_for_again() {
    for part in ["/whoami-v2", "/preupload/", "/objects/batch", "/tree/"] {
        let (_, run) = release(Transfers::ForceBasic, &[], once(part, Fate::Cut)).await;
        run.expect(0).says("trying again in");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_lagging_machine_does_not_show_is_waited_for() {
    for (part, says) in [
        ("/repos/create", "the Hub does not show the branch yet"),
        ("/commit/", "the Hub does not show the commit yet"),
        ("/tag/", "the Hub does not show the tag yet"),
    ] {
        let (_, run) = release(Transfers::ForceBasic, &[], once(part, Fate::Stale(2))).await;
        run.expect(0).says(says);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_wait_goes_beyond_the_time_of_the_run() {
    let started = Instant::now();
    let later = Fate::Answer(Reply::status(429).header("retry-after", "3600"));
    let (_, run) = release(Transfers::Auto, &["--timeout", "1"], once("/preupload/", later)).await;
    let run = run.expect(2).says("answered 429").says("on the Hub: nothing of v1.0.0");
    assert!(started.elapsed() < Duration::from_secs(30), "{}", run.all());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transfer_that_stands_still_is_said() {
    let silent = Fate::Hold(Duration::from_secs(14));
    let (_, run) = release(Transfers::Auto, &[], once("/shards", silent)).await;
    run.expect(0).says("the Xet transfer: nothing has moved for 1");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_patience_is_a_number_of_seconds() {
    let mut workspace = Workspace::healthy();
    workspace.on_hub("http://127.0.0.1:9", "hf_x").set("WEIGHBRIDGE_ANSWER_TIMEOUT", "soon");
    let run = workspace.run(&["release"]).expect(2);
    run.says("WEIGHBRIDGE_ANSWER_TIMEOUT is no number of seconds").says("fix: give whole seconds");
}

#[tokio::test(flavor = "multi_thread")]
async fn how_things_stand_is_in_the_report() {
    for (part, fate, published) in [
        ("/preupload/", Fate::Answer(Reply::status(403)), "nothing"),
        ("/tag/", Fate::Answer(Reply::status(403)), "untagged"),
    ] {
        let (workspace, run) = release(Transfers::Auto, &[], once(part, fate)).await;
        let run = run.expect(2);
        let standing = &workspace.report()["failure"]["standing"];
        assert_eq!(standing["published"], published, "{}", run.all());
        let text = standing["text"].as_str().expect("words");
        assert!(run.stderr.contains(&format!("on the Hub: {text}")), "{}", run.all());
        assert!(run.stdout.contains("v1.0.0"), "{}", run.all());
    }
}
