//! The command in a container of its own.

use std::path::{Path, PathBuf};

use futures_util::TryStreamExt as _;
use serde_json::{Value, json};

use super::engine::{Engine, Frames};
use super::lines::Lines;
use super::{End, Surroundings, TestRunError, environment};
use crate::policy::TestCommand;
use crate::signals::Guard;

/// Who made a container, for those who find one.
const LABEL: &str = "io.github.weighbridge.tests";

pub(super) async fn run(
    settings: &TestCommand,
    image: &str,
    around: &Surroundings<'_>,
    lines: &mut Lines<'_>,
) -> Result<End, TestRunError> {
    let guard = Guard::new();
    let engine = Engine::find(around.env)?;
    let mount = workspace(&engine, around.workspace).await?;
    let container = container(settings, image, around, &mount)?;
    // Named by us: it can be removed also when we are stopped before the engine tells its id.
    let name = format!("weighbridge-tests-{:016x}", fastrand::u64(..));
    let made = tokio::select! {
        made = create(&engine, &name, image, &container, lines) => made,
        () = tokio::time::sleep(settings.timeout) => Err(TestRunError::Image {
            image: image.to_owned(),
            message: format!("it is not there after {} s", settings.timeout.as_secs()),
        }),
        () = guard.interrupted() => Err(TestRunError::Interrupted),
    };
    let outcome = match made {
        Ok(()) => tokio::select! {
            code = follow(&engine, &name, lines) => code.map(End::Exit),
            () = tokio::time::sleep(settings.timeout) => Ok(End::TimedOut),
            () = guard.interrupted() => Err(TestRunError::Interrupted),
        },
        Err(error) => Err(error),
    };
    // Whatever happened: a container that runs on could change the files while they are weighed.
    let removed = engine.remove(&name).await;
    let end = outcome?;
    removed.map(|()| end)
}

/// Makes the container; gets the image first, where it is not on this machine.
async fn create(
    engine: &Engine,
    name: &str,
    image: &str,
    container: &Value,
    lines: &mut Lines<'_>,
) -> Result<(), TestRunError> {
    if engine.create(name, container).await? {
        return Ok(());
    }
    lines.say(&format!("· getting the image {image}"));
    engine.pull(image).await?;
    if engine.create(name, container).await? {
        return Ok(());
    }
    Err(TestRunError::Image {
        image: image.to_owned(),
        message: "it was got and is not there".into(),
    })
}

/// Runs the container to its end.
async fn follow(engine: &Engine, id: &str, lines: &mut Lines<'_>) -> Result<i32, TestRunError> {
    engine.start(id).await?;
    let mut frames = Frames::default();
    let mut output = std::pin::pin!(engine.output(id).await?);
    while let Some(received) = output.try_next().await? {
        frames.contents(&received).into_iter().for_each(|bytes| lines.take(bytes));
    }
    engine.wait(id).await
}

/// What the engine is asked to make: our user, the workspace at the same path, and nothing else of
/// this machine.
fn container(
    settings: &TestCommand,
    image: &str,
    around: &Surroundings<'_>,
    mount: &Value,
) -> Result<Value, TestRunError> {
    let (user, group) = (rustix::process::getuid().as_raw(), rustix::process::getgid().as_raw());
    let variables = environment::in_image(around.env).into_iter();
    let mut variables: Vec<_> = variables.map(|(name, value)| format!("{name}={value}")).collect();
    if user != 0 {
        // The image does not know this user, and gives it `/`, where it may not write.
        variables.push("HOME=/tmp".into());
    }
    Ok(json!({
        "Image": image,
        "Entrypoint": ["sh", "-ec"],
        "Cmd": [settings.command],
        "WorkingDir": text(around.folder)?,
        "User": format!("{user}:{group}"),
        "Env": variables,
        "Labels": { LABEL: "" },
        "HostConfig": {
            "Mounts": [mount],
            "Init": true,
            "SecurityOpt": ["no-new-privileges"],
            // The engine's own setting may be one whose output cannot be read back.
            "LogConfig": { "Type": "json-file", "Config": {} },
        },
    }))
}

/// A path as the engine takes it.
fn text(path: &Path) -> Result<&str, TestRunError> {
    path.to_str().ok_or_else(|| TestRunError::Name(path.to_owned()))
}

/// The mount that gives another container the workspace, at the path that it has here. Where we are
/// in a container ourselves, the engine knows the workspace by its path on the host.
async fn workspace(engine: &Engine, workspace: &Path) -> Result<Value, TestRunError> {
    text(workspace)?;
    let mounts = std::fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
    let ourselves = match own_id(&mounts) {
        Some(id) => engine.container(id).await?,
        None => None,
    };
    let Some(ourselves) = ourselves else { return Ok(bind(workspace, workspace)) };
    let mounts = ourselves.get("Mounts").and_then(Value::as_array);
    mounted(mounts.map_or(&[], Vec::as_slice), workspace)
        .ok_or_else(|| TestRunError::NotMounted(workspace.to_owned()))
}

fn bind(source: &Path, target: &Path) -> Value {
    json!({ "Type": "bind", "Source": source, "Target": target })
}

/// The id of the container that this mount table is of: the engine mounts files like
/// `/var/lib/docker/containers/<id>/hostname` into each (proc_pid_mountinfo(5)).
fn own_id(mounts: &str) -> Option<&str> {
    mounts.lines().find_map(|line| {
        let (_, rest) = line.split(' ').nth(3)?.split_once("/containers/")?;
        let id = rest.split('/').next()?;
        (id.len() == 64 && id.bytes().all(|byte| byte.is_ascii_hexdigit())).then_some(id)
    })
}

/// The workspace among our own mounts.
fn mounted(mounts: &[Value], workspace: &Path) -> Option<Value> {
    let path = |mount: &Value, key: &str| mount.get(key)?.as_str().map(PathBuf::from);
    let around = mounts.iter().filter_map(|mount| {
        let destination = path(mount, "Destination")?;
        let below = workspace.strip_prefix(&destination).ok()?.to_owned();
        Some((mount, destination, below))
    });
    let (mount, destination, below) =
        around.max_by_key(|(_, destination, _)| destination.as_os_str().len())?;
    match mount.get("Type")?.as_str()? {
        "volume" => {
            Some(json!({ "Type": "volume", "Source": mount.get("Name")?, "Target": destination }))
        }
        _ => Some(bind(&path(mount, "Source")?.join(below), workspace)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_container_finds_itself_in_its_mounts() {
        let id = "0123456789abcdef".repeat(4);
        let table = format!(
            "712 613 0:51 / / rw,relatime - overlay overlay rw\n\
             720 712 8:1 /var/lib/docker/containers/{id}/hostname /etc/hostname rw - ext4 /dev/sda1 rw\n"
        );
        assert_eq!(own_id(&table), Some(id.as_str()));
        assert_eq!(own_id("22 1 8:1 / / rw - ext4 /dev/sda1 rw\n"), None);
        assert_eq!(own_id("22 1 8:1 /srv/containers/web /srv rw - ext4 /dev/sda1 rw\n"), None);
    }

    #[test]
    fn the_engine_is_told_the_workspace_as_it_knows_it() {
        let mounts = [
            json!({"Type": "bind", "Source": "/var/run/docker.sock", "Destination": "/var/run/docker.sock"}),
            json!({"Type": "bind", "Source": "/home/runner/_temp", "Destination": "/github"}),
            json!({"Type": "bind", "Source": "/home/runner/work/r/r", "Destination": "/github/workspace"}),
            json!({"Type": "volume", "Name": "v", "Source": "/var/lib/…", "Destination": "/builds"}),
        ];
        assert_eq!(
            mounted(&mounts, Path::new("/github/workspace/models")),
            Some(bind(
                Path::new("/home/runner/work/r/r/models"),
                Path::new("/github/workspace/models")
            ))
        );
        assert_eq!(
            mounted(&mounts, Path::new("/builds/acme")),
            Some(json!({"Type": "volume", "Source": "v", "Target": "/builds"}))
        );
        assert_eq!(mounted(&mounts, Path::new("/elsewhere")), None);
    }
}
