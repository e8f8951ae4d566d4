//! stable-baselines3: the algorithm is in the file's name, if anywhere.

use super::call::{Call, PICKLE, Snippet};

const ALGORITHMS: [&str; 6] = ["A2C", "DDPG", "DQN", "PPO", "SAC", "TD3"];

pub(super) fn load(call: &Call<'_>) -> Option<Snippet> {
    let file = call.file(&[".zip"])?;
    let name = file.rsplit('/').next().unwrap_or(file).to_uppercase();
    let mut words = name.split(|c: char| !c.is_ascii_alphanumeric());
    let algorithm = words.find_map(|word| ALGORITHMS.iter().find(|known| **known == word));
    let snippet = match algorithm {
        Some(algorithm) => {
            let import = format!("from stable_baselines3 import {algorithm}");
            call.download(&import, file, &format!("model = {algorithm}.load(path)"))
        }
        None => call.download(
            "import stable_baselines3",
            file,
            "# load it with the class that it was trained with: stable_baselines3.PPO.load(path), …",
        ),
    };
    Some(snippet.with_note(PICKLE))
}
