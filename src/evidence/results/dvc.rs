//! DVC's `metrics show --json`, and DVCLive's `metrics.json`.

use super::plain::nested;
use super::{Number, Reader, Results, Spot};

pub(super) const SHOWN: Reader = Reader {
    format: "dvc-metrics",
    written_by: "DVC (`dvc metrics show --json`)",
    claims: |document| {
        document.map().is_some_and(|map| {
            let mut revisions = map.entries().map(|(_, revision)| revision).peekable();
            revisions.peek().is_some()
                && revisions.all(|revision| {
                    revision.get("data").is_some_and(|files| {
                        files.is_map()
                            && files.entries().all(|(_, file)| file.get("data").is_some())
                    })
                })
        })
    },
    read: |document| {
        let root = document.map().ok_or("no map")?;
        // The workspace has an empty name; other revisions are there when they were asked for.
        let revision = root
            .get("")
            .or_else(|| root.get("workspace"))
            .or_else(|| root.entries().next().map(|(_, revision)| revision));
        let files = revision.and_then(|revision| revision.get("data"));
        let mut numbers = Vec::new();
        for (file, shown) in files.iter().flat_map(Spot::entries) {
            let values = shown.get("data");
            numbers.extend(
                values
                    .iter()
                    .flat_map(nested)
                    .map(|number| Number { task: Some(file.to_owned()), ..number }),
            );
        }
        Ok(Results { numbers, ..Results::default() })
    },
};

pub(super) const LIVE: Reader = Reader {
    format: "dvclive",
    written_by: "DVCLive (`dvclive/metrics.json`)",
    claims: |document| {
        document.path.ends_with("metrics.json")
            && document.map().is_some_and(|map| {
                map.get("step").is_some_and(|step| step.float().is_some())
                    && map.entries().all(|(key, spot)| key == "step" || spot.is_map())
            })
    },
    read: |document| {
        let root = document.map().ok_or("no map")?;
        let numbers = nested(&root).into_iter().filter(|number| number.metric != "step").collect();
        Ok(Results { numbers, ..Results::default() })
    },
};
