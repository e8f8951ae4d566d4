// What the Hub's own parser counts in folders: `count.mjs CLIENT LIBRARY FOLDER…`, one JSON line each.
import { readFileSync, existsSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const [client, library, ...folders] = process.argv.slice(2);
const { parseSafetensorsMetadata } = await import(pathToFileURL(client));

/** Serves a folder as the Hub serves the files of a revision. */
function serving(folder) {
	return async (input, init) => {
		const path = decodeURIComponent(new URL(input.url ?? input).pathname.split(/\/(?:resolve|raw)\/main\//)[1] ?? "");
		const file = join(folder, path);
		if (!path || !existsSync(file)) {
			return new Response(null, { status: 404, headers: { "X-Error-Code": "EntryNotFound" } });
		}
		const bytes = readFileSync(file);
		const headers = { etag: '"x"', "content-length": String(bytes.length) };
		const range = new Headers(init?.headers).get("range")?.match(/^bytes=(\d+)-(\d*)$/);
		if (!range) {
			return new Response(bytes, { status: 200, headers });
		}
		const last = Math.min(range[2] === "" ? Infinity : Number(range[2]), bytes.length - 1);
		return new Response(bytes.subarray(Number(range[1]), last + 1), {
			status: 206,
			headers: { etag: '"x"', "content-range": `bytes ${range[1]}-${last}/${bytes.length}` },
		});
	};
}

for (const folder of folders) {
	const seen = await parseSafetensorsMetadata({
		repo: "acme/m",
		computeParametersCount: true,
		library: library || undefined,
		fetch: serving(folder),
	});
	const sum = Object.values(seen.parameterCount).reduce((sum, count) => sum + count, 0);
	console.log(JSON.stringify({ counts: seen.parameterCount, total: seen.parameterTotal ?? sum }));
}
