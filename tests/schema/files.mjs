// The schema against every file that the tests have: what it says of each, and what `validate` does.
//
//   files.mjs SCHEMA TOP: the schema's file, and the top of the repository
import fs from "node:fs";
import path from "node:path";
import Ajv2020 from "ajv/dist/2020.js";
import { isScalar, parseAllDocuments, visit } from "yaml";

const [schemaFile, top] = process.argv.slice(2);

// Strict: an unknown keyword is an error, but for those that editors know beyond the standard.
const ajv = new Ajv2020.default({ strict: true, strictTypes: false, strictRequired: false, allErrors: true });
ajv.addVocabulary(["patternErrorMessage", "enumDescriptions"]);
const valid = ajv.compile(JSON.parse(fs.readFileSync(schemaFile, "utf8")));

// What is wrong with a file as an editor sees it: first as YAML 1.2, then by the schema.
function complaint(file) {
	const bytes = fs.readFileSync(file);
	let text;
	try {
		text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
	} catch {
		return "not UTF-8";
	}
	const documents = parseAllDocuments(text);
	for (const document of Array.isArray(documents) ? documents : []) {
		if (document.errors.length)
			return `YAML: ${document.errors[0].message.split("\n")[0]}`;
		// A key is the text that it is, also where that looks like a number or like nothing.
		visit(document, { Pair(_, pair) {
			if (isScalar(pair.key) && typeof pair.key.value !== "string")
				pair.key.value = pair.key.source;
		} });
		let value;
		try {
			value = document.toJS({ maxAliasCount: 100 });
		} catch (error) {
			return `YAML: ${error.message}`;
		}
		if (!valid(value))
			return valid.errors.map((e) => `${e.instancePath} ${e.message}`).join("; ");
	}
	return null;
}

const list = (folder) => fs.readdirSync(path.join(top, folder))
	.filter((name) => name.endsWith(".yaml")).sort().map((name) => path.join(folder, name));

// beyond.txt: what the schema cannot say, a line each: FILE REASON.
const beyond = new Map(fs.readFileSync(path.join(top, "tests/schema/beyond.txt"), "utf8").split("\n")
	.filter((line) => line && !line.startsWith("#"))
	.map((line) => [line.split(/\s+/)[0], line.replace(/^\S+\s+/, "")]));

let passed = 0, failed = 0;
function row(name, trouble) {
	if (trouble)
		console.log(`FAIL ${name}: ${trouble}`);
	trouble ? failed++ : passed++;
}

const good = [...list("examples"), ...list("tests/input/good")];
for (const file of good)
	row(`good ${file}`, complaint(path.join(top, file)));

const bad = list("tests/input/bad");
for (const file of bad) {
	const name = path.basename(file, ".yaml"), found = complaint(path.join(top, file));
	if (beyond.has(name))
		row(`bad ${file}`, found && `listed in beyond.txt, but the schema refuses it: ${found}`);
	else
		row(`bad ${file}`, found ? null : "the schema accepts it, and beyond.txt does not say why");
	beyond.delete(name);
}
for (const name of beyond.keys())
	row(`beyond.txt ${name}`, "no such file in tests/input/bad");
if (good.length < 10 || bad.length < 100)
	row("files", `only ${good.length} good and ${bad.length} bad files were found`);

console.log(`${passed} passed, ${failed} failed`);
process.exit(failed ? 1 : 0);
