// What an editor shows: the real yaml-language-server, asked over its own protocol (LSP 3.17), with
// nothing to go by but the line `# yaml-language-server: $schema=...` of a file.
//
//   editor.mjs TOP: the top of the repository
import { spawn } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { pathToFileURL, fileURLToPath } from "node:url";

const top = process.argv[2];
const here = path.dirname(fileURLToPath(import.meta.url));
const server = spawn(process.execPath,
	[path.join(here, "node_modules/yaml-language-server/bin/yaml-language-server"), "--stdio"],
	{ stdio: ["pipe", "pipe", "inherit"] });

const waiting = new Map(), diagnostics = new Map();
let bytes = Buffer.alloc(0), lastId = 0;

function write(message) {
	const body = JSON.stringify({ jsonrpc: "2.0", ...message });
	server.stdin.write(`Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`);
}

function ask(method, params) {
	const id = ++lastId;
	write({ id, method, params });
	return new Promise((done) => waiting.set(id, done));
}

// What the server asks of an editor: its settings. It may use no schema from anywhere else.
const settings = { yaml: { schemaStore: { enable: false }, validate: true, completion: true, hover: true } };
function answer(message) {
	const values = { yaml: settings.yaml, http: {} };
	const result = message.method === "workspace/configuration"
		? message.params.items.map((item) => values[item.section] ?? null) : null;
	write({ id: message.id, result });
}

function take(message) {
	if (message.method === "textDocument/publishDiagnostics")
		diagnostics.get(message.params.uri)?.(message.params.diagnostics);
	else if (message.method && message.id !== undefined)
		answer(message);
	else if (message.id !== undefined && waiting.has(message.id))
		waiting.get(message.id)(message.result);
}

server.stdout.on("data", (chunk) => {
	bytes = Buffer.concat([bytes, chunk]);
	for (;;) {
		const end = bytes.indexOf("\r\n\r\n");
		if (end < 0)
			return;
		const length = Number(/Content-Length: (\d+)/.exec(bytes.subarray(0, end))[1]);
		if (bytes.length < end + 4 + length)
			return;
		const body = bytes.subarray(end + 4, end + 4 + length);
		bytes = bytes.subarray(end + 4 + length);
		take(JSON.parse(body));
	}
});

let documents = 0;
// Opens a text as a file beside the examples; gives its uri and what is found wrong with it.
async function open(text, name = `editor-${++documents}.yaml`) {
	const uri = pathToFileURL(path.join(top, "examples", name)).href;
	const found = new Promise((done) => diagnostics.set(uri, done));
	write({ method: "textDocument/didOpen",
		params: { textDocument: { uri, languageId: "yaml", version: 1, text } } });
	return { uri, found: await found };
}

// The place of the mark | in a text, and the text without it.
function marked(text) {
	const before = text.slice(0, text.indexOf("|")).split("\n");
	return { text: text.replace("|", ""),
		position: { line: before.length - 1, character: before.at(-1).length } };
}

const LINE = "# yaml-language-server: $schema=mvapply.schema.json\n";

async function completion(text) {
	const { text: plain, position } = marked(LINE + text);
	const { uri } = await open(plain);
	const found = await ask("textDocument/completion", { textDocument: { uri }, position });
	return (found?.items ?? found ?? []).map((item) => item.label);
}

async function hover(text) {
	const { text: plain, position } = marked(LINE + text);
	const { uri } = await open(plain);
	const found = await ask("textDocument/hover", { textDocument: { uri }, position });
	return JSON.stringify(found?.contents ?? "");
}

// The findings as "LINE:COLUMN TEXT", counted from 1 in the text without its first line.
async function errors(text) {
	const { found } = await open(LINE + text);
	return found.map(({ range, message }) =>
		`${range.start.line}:${range.start.character + 1} ${message}`);
}

let passed = 0, failed = 0;
function row(name, ok, seen) {
	console.log(ok ? `ok   ${name}` : `FAIL ${name}: ${JSON.stringify(seen)}`);
	ok ? passed++ : failed++;
}

const has = (list, ...words) => words.every((word) => list.includes(word));
const NETWORK = "networks:\n  lan:\n    parent: eth0\n    subnet: 172.16.86.0/24\n";

async function rows() {
	let seen = await completion("|");
	row("completion at the top", has(seen, "name", "networks", "containers"), seen);
	seen = await completion(`${NETWORK}    |`);
	row("completion of a network's keys", has(seen, "vlan", "mode", "gateway") && !seen.includes("podman"), seen);
	seen = await completion(`${NETWORK}    driver: |`);
	row("completion of a word", has(seen, "macvlan", "ipvlan"), seen);
	seen = await completion(`${NETWORK}containers:\n  web:\n    networks:\n      lan:\n        |`);
	row("completion of an attachment's keys", has(seen, "ipv4_address", "mac_address", "routes"), seen);

	seen = await hover(`${NETWORK}    vl|an: 10\n`);
	row("hover over a key", seen.includes("the VLAN id of the network on its parent"), seen);
	seen = await hover(`${NETWORK}containers:\n  web:\n    networks:\n      lan:\n        gw_pri|ority: 1\n`);
	row("hover over a key far down", seen.includes("gets the default route"), seen);

	seen = await errors(`${NETWORK}    vlan: 5000\n`);
	row("an error of a number", seen.length === 1 && seen[0].startsWith("5:11 "), seen);
	seen = await errors(`${NETWORK}    mtuu: 1400\n`);
	row("an error of an unknown key", seen.length === 1 && seen[0].startsWith("5:5 ") && seen[0].includes("mtuu"), seen);
	seen = await errors("networks:\n  lan:\n    parent: eth0\n    subnet: 172.16.86.0\n");
	row("an error of a prefix", seen.length === 1 && seen[0].startsWith("4:13 ") && seen[0].includes("such as 172.16.86.0/24"), seen);
	seen = await errors(`${NETWORK}    driver: ipvlan\n    mode: bridge\n`);
	row("an error of two keys that do not go together", seen.length === 1 && seen[0].startsWith("6:11 "), seen);
	seen = await errors(`${NETWORK}containers:\n  web:\n    networks: {lan: {mac_address: "01:00:5e:00:00:01"}}\n`);
	row("an error of a MAC", seen.length === 1 && seen[0].startsWith("7:35 "), seen);

	const examples = fs.readdirSync(path.join(top, "examples")).filter((name) => name.endsWith(".yaml"));
	for (const name of examples) {
		const text = fs.readFileSync(path.join(top, "examples", name), "utf8");
		const { found } = await open(text, name);
		row(`no error in ${name}`, text.startsWith(LINE) && found.length === 0, found);
	}
	row("there are examples", examples.length >= 10, examples);
}

const timer = setTimeout(() => {
	console.log("FAIL the server does not answer");
	console.log(`${passed} passed, ${failed + 1} failed`);
	server.kill();
	process.exit(1);
}, 180000);

await ask("initialize", { processId: process.pid, rootUri: pathToFileURL(top).href,
	capabilities: { workspace: { configuration: true },
		textDocument: { publishDiagnostics: {}, hover: { contentFormat: ["markdown"] },
			completion: { completionItem: { snippetSupport: true } } } } });
write({ method: "initialized", params: {} });
write({ method: "workspace/didChangeConfiguration", params: { settings } });
await rows();
clearTimeout(timer);
server.kill();
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed ? 1 : 0);
