//! What a run sends again that another one was killed before it: measured in bytes on the wire.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use rustix::process::Signal;
use weighbridge::rehearsal::Transfers;

use super::fault::{Process, began, signal};
use super::setting::noise;
use super::tell;
use crate::support::front::{Asked, Fate, Front};
use crate::support::hub_server::HubServer;
use crate::support::workspace::Workspace;

const MIB: u64 = 1024 * 1024;
const CHUNK: u64 = 256 * 1024;
/// The file that arrives before the run is killed, and the one that does not.
const FIRST: u64 = 2 * MIB;
const SECOND: u64 = 3 * MIB;

fn size(bytes: u64) -> usize {
    usize::try_from(bytes).expect("small")
}

/// Whether a run is killed before or after the Hub did what it asked.
#[derive(Clone, Copy, PartialEq, Eq)]
enum When {
    Asked,
    Done,
}

/// Bytes that a second run sends into large-file storage, after a first one that was killed when
/// `kill` said so; what it let through until then is up to it.
async fn sent_again(
    transfers: Transfers,
    hold: fn(&Asked) -> bool,
    kill: fn(&Asked) -> bool,
    when: When,
) -> (u64, u64) {
    let server = HubServer::with(|options| {
        options.lfs_transfer = transfers;
        options.lfs_threshold = MIB;
    })
    .await;
    let mut workspace = Workspace::healthy();
    workspace.sends_by("xet");
    workspace.write("model/weights/a.bin", noise(1, size(FIRST)));
    workspace.write("model/weights/b.bin", noise(2, size(SECOND)));
    workspace.version("v1.0.0");
    let process = Process::default();
    let (ours, ended) = (process.clone(), AtomicUsize::new(0));
    let front = Front::before(&server.hub.url(), move |asked| {
        if kill(asked) && ended.fetch_add(1, Ordering::SeqCst) == 0 {
            let process = ours.clone();
            let kill = move || signal(&process, Signal::KILL);
            if when == When::Done {
                return Fate::Then(Arc::new(kill));
            }
            kill();
            return Fate::Reset;
        }
        if hold(asked) { Fate::Hold(Duration::from_secs(20)) } else { Fate::Pass }
    })
    .await;
    workspace.on_hub(&front.url(), server.hub.token().expose());
    let mut child = workspace.command(&["release"]).spawn().expect("starts");
    began(&process, child.id());
    let status = tokio::task::block_in_place(|| child.wait()).expect("ends");
    assert_eq!(status.code(), None, "it was killed");
    let first = large(&front);

    let front = Front::before(&server.hub.url(), |_| Fate::Pass).await;
    workspace.on_hub(&front.url(), server.hub.token().expose());
    tokio::task::block_in_place(|| workspace.run(&["release"])).expect(0);
    (first, large(&front))
}

fn large(front: &Front) -> u64 {
    front.sent("/storage/basic/")
        + front.sent("/storage/part/")
        + front.sent("/simulation/xorb-uploads")
        + front.sent("/v1/xorbs/")
}

/// Whether a request is about the second file: its signed address has the size.
fn of_second(asked: &Asked) -> bool {
    asked.path.starts_with("/storage/") && asked.path.contains(&format!("/{SECOND}/"))
}

fn confirms(asked: &Asked) -> bool {
    asked.path.ends_with("/info/lfs/objects/verify")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_arrived_is_not_sent_again() {
    for transfers in [Transfers::ForceBasic, Transfers::ForceMultipart { chunk: CHUNK }] {
        let (first, again) = sent_again(transfers, of_second, confirms, When::Done).await;
        tell(&format!(
            "{transfers:?}: killed after one of two files: {first} bytes came, then {again}"
        ));
        assert_eq!(again, SECOND, "{transfers:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn when_all_arrived_nothing_is_sent_again() {
    let commits = |asked: &Asked| asked.path.contains("/commit/");
    for transfers in
        [Transfers::ForceBasic, Transfers::ForceMultipart { chunk: CHUNK }, Transfers::Auto]
    {
        let (first, again) = sent_again(transfers, |_| false, commits, When::Asked).await;
        assert!(first >= FIRST + SECOND, "{transfers:?}: {first}");
        assert_eq!(again, 0, "{transfers:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn blocks_that_no_shard_names_yet() {
    let shard = |asked: &Asked| asked.path.ends_with("/shards");
    let (first, again) = sent_again(Transfers::Auto, |_| false, shard, When::Asked).await;
    tell(&format!("Xet: killed before its shard was there: {first} bytes came, then {again}"));
    assert!(first >= FIRST + SECOND, "{first}");
    assert_eq!(again, 0, "storage knows its blocks by their content, before any shard names them");
}
