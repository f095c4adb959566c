// Reads each NAME.mmd of a folder with Mermaid, and compares what it understood with NAME.json.
import { readdirSync, readFileSync } from "node:fs";
import { JSDOM } from "jsdom";

const { window } = new JSDOM("<!DOCTYPE html><body></body>");
globalThis.window = window;
globalThis.document = window.document;
const { default: mermaid } = await import("mermaid");

// The text that a browser shows of a label. Mermaid has a code of its own for entities, which it turns
// into HTML's when it draws.
function shown(label) {
	const element = window.document.createElement("div");
	element.innerHTML = label.replace(/ﬂ°°(\d+)¶ß/g, "&#$1;").replace(/<br\/?>/g, "\n");
	return element.textContent;
}

function differences(understood, graph) {
	const vertices = [...understood.getVertices().values()];
	const legend = vertices.filter((vertex) => vertex.id.startsWith("legend"));
	const used = new Set([...graph.nodes, ...graph.edges].map(({ state }) => state));
	if (String(legend.map((vertex) => vertex.classes[0]).sort()) !== String([...used].sort()))
		return `the legend has ${legend.map((vertex) => vertex.classes[0])}`;
	const nodes = vertices.filter((vertex) => !legend.includes(vertex)).map((vertex) => ({
		text: shown(vertex.text),
		state: vertex.classes[0],
	}));
	const edges = understood.getEdges().filter((edge) => edge.start.startsWith("n")).map((edge) => ({
		from: Number(edge.start.slice(1)),
		to: Number(edge.end.slice(1)),
		text: shown(edge.text ?? ""),
	}));
	const sign = { same: "", create: "+", change: "~", delete: "-", pending: "pending",
		trouble: "blocked", missing: "" };
	const expected = {
		nodes: graph.nodes.map(({ title, detail, state }) => ({
			text: detail ? `${title}\n${detail}` : title,
			state,
		})),
		edges: graph.edges.map(({ from, to, label, state }) => ({
			from,
			to,
			text: [sign[state], label].filter(Boolean).join(" "),
		})),
	};
	const [is, should] = [{ nodes, edges }, expected].map((value) => JSON.stringify(value, null, 1));
	return is === should ? null : `is ${is}\nexpected ${should}`;
}

const folder = process.argv[2];
let passed = 0;
let failed = 0;
for (const file of readdirSync(folder).filter((name) => name.endsWith(".mmd"))) {
	const text = readFileSync(`${folder}/${file}`, "utf8");
	const graph = JSON.parse(readFileSync(`${folder}/${file.replace(/mmd$/, "json")}`, "utf8"));
	let problem;
	try {
		await mermaid.parse(text);
		const diagram = await mermaid.mermaidAPI.getDiagramFromText(text);
		problem = graph.nodes.length ? differences(diagram.db, graph) : "it has no nodes";
	} catch (error) {
		problem = `${error.message}\n${text}`;
	}
	if (problem) {
		console.log(`FAIL ${file}: ${problem}`);
		failed++;
	} else {
		passed++;
	}
}
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed || !passed ? 1 : 0);
