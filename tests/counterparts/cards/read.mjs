// Reads the front matter of a list of model cards (JSON, standard input) as the Hub does: js-yaml,
// YAML 1.2. Every scalar carries its kind, as in read.py.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const require = createRequire(`${process.argv[2]}/`);
const { load, CORE_SCHEMA } = require("js-yaml");

function number(value) {
  // As Python's repr of a float has it, so that both can be compared as text.
  if (Number.isNaN(value)) return "nan";
  if (!Number.isFinite(value)) return value > 0 ? "inf" : "-inf";
  return value;
}

function kinds(value) {
  if (Array.isArray(value)) return { list: value.map(kinds) };
  if (value === null) return { null: true };
  if (value instanceof Date) return { date: value.toISOString() };
  switch (typeof value) {
    case "object":
      return { map: Object.fromEntries(Object.entries(value).map(([key, item]) => [key, kinds(item)])) };
    case "boolean":
      return { bool: value };
    case "number":
      return { number: number(value) };
    default:
      return { text: value };
  }
}

const cards = JSON.parse(readFileSync(0, "utf8"));
const read = (card) => kinds(load(/^---\n([^]*?)\n---\n/.exec(card)[1], { schema: CORE_SCHEMA }));
process.stdout.write(JSON.stringify(cards.map(read)));
