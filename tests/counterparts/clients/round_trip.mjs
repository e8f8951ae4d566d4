// The official JavaScript client's round trip: create, upload, tag, list, download, delete.
//
// usage: node round_trip.mjs HUB_MODULE FOLDER REPO   (HF_ENDPOINT and HF_TOKEN in the environment)
// Prints a JSON object of what the client saw; exits non-zero at the first thing that is not right.

import assert from "node:assert/strict";
import { readFile, readdir } from "node:fs/promises";
import { join, relative } from "node:path";
import { pathToFileURL } from "node:url";

const [module, folder, name] = process.argv.slice(2);
const hub = await import(pathToFileURL(module));
const common = { accessToken: process.env.HF_TOKEN, hubUrl: process.env.HF_ENDPOINT };
const repo = { type: "model", name };

const entries = await readdir(folder, { recursive: true, withFileTypes: true });
const sent = new Map();
for (const entry of entries.filter((entry) => entry.isFile())) {
	const path = join(entry.parentPath ?? entry.path, entry.name);
	sent.set(relative(folder, path), await readFile(path));
}

const me = await hub.whoAmI(common);
assert.equal(me.type, "user");
await hub.createRepo({ ...common, repo, private: true });
const files = [...sent].map(([path, bytes]) => ({ path, content: new Blob([bytes]) }));
const useXet = process.argv[5] !== "lfs";
const uploaded = await hub.uploadFiles({ ...common, repo, files, commitTitle: "Upload the model", useXet });
await hub.createBranch({ ...common, repo, branch: "staging", revision: "main" });
await hub.deleteBranch({ ...common, repo, branch: "staging" });

const tagged = await fetch(`${common.hubUrl}/api/models/${name}/tag/main`, {
	method: "POST",
	headers: { authorization: `Bearer ${common.accessToken}`, "content-type": "application/json" },
	body: JSON.stringify({ tag: "v1.0.0" }),
});
assert.ok(tagged.ok, `${tagged.status}`);

const listed = new Map();
for await (const file of hub.listFiles({ ...common, repo, recursive: true, revision: "v1.0.0" })) {
	if (file.type === "file") listed.set(file.path, file);
}
assert.deepEqual([...listed.keys()].sort(), [...sent.keys(), ".gitattributes"].sort());
const info = await hub.modelInfo({ ...common, name, additionalFields: ["sha", "cardData"] });
assert.equal(info.sha, uploaded.commit.oid);

for (const [path, bytes] of sent) {
	const revision = "v1.0.0";
	if (bytes.length === 0) continue; // the client asks for the first byte, which there is none of
	// The client puts a path into the URL as it is.
	const escaped = path.split("/").map(encodeURIComponent).join("/");
	const blob = await hub.downloadFile({ ...common, repo, path: escaped, revision });
	assert.ok(Buffer.from(await blob.arrayBuffer()).equals(bytes), `${path} differs`);
}

await hub.deleteFile({ ...common, repo, path: "config.json" });
assert.equal(await hub.fileExists({ ...common, repo, path: "config.json" }), false);
await hub.deleteRepo({ ...common, repo });
assert.equal(await hub.repoExists({ ...common, repo }), false);
console.log(JSON.stringify({ xet: listed.get("weights.safetensors").xetHash !== undefined }));
