//! Trouble with one large file keeps none of the others from arriving, and a body may take its time.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use weighbridge::rehearsal::Transfers;

use super::setting::noise;
use crate::support::front::{Asked, Fate, Front, Reply};
use crate::support::hub_server::HubServer;
use crate::support::workspace::Workspace;

const KIB: usize = 1024;
/// Sizes of the files, of which the second is in trouble: signed addresses have them.
const SIZES: [usize; 3] = [300 * KIB, 310 * KIB, 320 * KIB];

fn busy() -> Fate {
    Fate::Answer(Reply::status(503).header("retry-after", "0"))
}

async fn hub(transfers: Transfers) -> HubServer {
    HubServer::with(|options| {
        options.lfs_transfer = transfers;
        options.lfs_threshold = 64 * KIB as u64;
    })
    .await
}

fn three_files(way: &str) -> Workspace {
    let workspace = Workspace::healthy();
    workspace.sends_by(way);
    for (number, size) in SIZES.into_iter().enumerate() {
        workspace.write(&format!("model/weights/{number}.bin"), noise(number as u64, size));
    }
    workspace.version("v1.0.0");
    workspace
}

fn of_second(asked: &Asked) -> bool {
    asked.path.starts_with("/storage/") && asked.path.contains(&format!("/{}/", SIZES[1]))
}

#[tokio::test(flavor = "multi_thread")]
async fn one_file_that_storage_never_takes_costs_no_other() {
    for transfers in [Transfers::ForceBasic, Transfers::ForceMultipart { chunk: 128 * KIB as u64 }]
    {
        let server = hub(transfers).await;
        let mut workspace = three_files("lfs");
        let front =
            Front::before(
                &server.hub.url(),
                |asked| {
                    if of_second(asked) { busy() } else { Fate::Pass }
                },
            )
            .await;
        workspace.on_hub(&front.url(), server.hub.token().expose());
        let run = tokio::task::block_in_place(|| workspace.run(&["release"])).expect(2);
        let run = run.says("weights/1.bin").says("answered 503");
        let run = run.says("trying once more to send what did not arrive");
        run.says("nothing of v1.0.0 is published").says("fix: ");
        assert_eq!(server.count("POST", "/commit/"), 0);

        let front = Front::before(&server.hub.url(), |_| Fate::Pass).await;
        workspace.on_hub(&front.url(), server.hub.token().expose());
        tokio::task::block_in_place(|| workspace.run(&["release"])).expect(0);
        let sent = front.sent("/storage/basic/") + front.sent("/storage/part/");
        assert_eq!(sent, SIZES[1] as u64, "{transfers:?}: the others had arrived");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_did_not_arrive_is_tried_once_more_at_the_end() {
    for (transfers, way, part) in
        [(Transfers::ForceBasic, "lfs", "/storage/basic/"), (Transfers::Auto, "xet", "/shards")]
    {
        let server = hub(transfers).await;
        let mut workspace = three_files(way);
        workspace.set("HF_XET_CLIENT_RETRY_BASE_DELAY", "10ms");
        let refused = AtomicUsize::new(0);
        // A request is made six times.
        let front = Front::before(&server.hub.url(), move |asked| {
            let meant = asked.path.contains(part) && (way == "xet" || of_second(asked));
            if meant && refused.fetch_add(1, Ordering::SeqCst) < 6 { busy() } else { Fate::Pass }
        })
        .await;
        workspace.on_hub(&front.url(), server.hub.token().expose());
        let run = tokio::task::block_in_place(|| workspace.run(&["release"])).expect(0);
        run.says("trying once more to send what did not arrive");
        assert_eq!(server.count("POST", "/commit/"), 1);
    }
}

/// On a slow line a body of Xet takes longer than a server may be silent.
#[tokio::test(flavor = "multi_thread")]
async fn a_body_may_take_longer_than_an_answer() {
    let server = hub(Transfers::Auto).await;
    let mut workspace = three_files("xet");
    let slow = Fate::Then(Arc::new(|| std::thread::sleep(Duration::from_millis(2500))));
    let front = Front::before(&server.hub.url(), move |asked| {
        if asked.path.contains("/simulation/xorb-uploads") { slow.clone() } else { Fate::Pass }
    })
    .await;
    workspace
        .on_hub(&front.url(), server.hub.token().expose())
        .set("WEIGHBRIDGE_ANSWER_TIMEOUT", "1");
    tokio::task::block_in_place(|| workspace.run(&["release"])).expect(0);
    let bodies = front.count("POST", "/simulation/xorb-uploads")
        + front.count("PUT", "/simulation/xorb-uploads");
    assert_eq!(bodies, 1, "one body, sent once");
}
