#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use weighbridge::card::{self, CardInput};
use weighbridge::evidence::Evidence;
use weighbridge::gates::card::of_readme;
use weighbridge::gates::card_completeness::completeness;
use weighbridge::inventory::Inventory;
use weighbridge::policy::{self, Model};
use weighbridge::rehearsal;

static MODEL: LazyLock<Model> = LazyLock::new(|| {
    let text = "model: {name: m, owner: someone, path: .}";
    let mut policy = policy::parse("weighbridge.yml", text, &[]).expect("a small policy is sound");
    policy.models.remove(0)
});

// Seeds: .md
// Judged, counted, shown and written, as `weighbridge card FILE --write --preview` does. Writing a
// second time changes nothing.
fuzz_target!(|data: &[u8]| {
    let Ok(text) = str::from_utf8(data) else { return };
    let _ = of_readme("README.md", text);
    let _ = completeness(text);
    rehearsal::preview("org/name", text, &[]).expect("the template is sound");
    let mended = card::repaired(text);
    assert_eq!(card::repaired(&mended), mended);
    if let Ok(once) = write(text) {
        assert_eq!(write(&once).expect("what was written can be read"), once);
    }
});

fn write(readme: &str) -> Result<String, card::CardError> {
    card::write(&CardInput {
        model: &MODEL,
        release: None,
        target: None,
        inventory: &Inventory::default(),
        evidence: &Evidence::default(),
        history: &[],
        commit: None,
        repository: None,
        run_url: None,
        template: None,
        readme: Some(readme),
        kept: &[],
    })
}
