#include "cmd/graph/graph.h"

#include "lib/json_text.h"
#include "lib/printable.h"

#include <string.h>

const struct graph_style graph_styles[N_GRAPH_STATES] = {
	[GRAPH_SAME] = {"same", "#f6f8fa", "#57606a", "", "unchanged", false},
	[GRAPH_CREATE] = {"create", "#dafbe1", "#1a7f37", "+", "+ create", false},
	[GRAPH_CHANGE] = {"change", "#fff8c5", "#9a6700", "~", "~ change", false},
	[GRAPH_DELETE] = {"delete", "#ffebe9", "#cf222e", "-", "- delete", false},
	[GRAPH_PENDING] = {"pending", "#ffffff", "#57606a", "pending",
			   "pending: not found or not running", true},
	[GRAPH_TROUBLE] = {"trouble", "#ffffff", "#cf222e", "blocked", "blocked or refused", true},
	[GRAPH_MISSING] = {"missing", "#ffffff", "#9a6700", "", "missing on this host", true},
};

static const char *const kinds[N_GRAPH_KINDS] = {
	[GRAPH_PARENT] = "parent",
	[GRAPH_VLAN] = "vlan",
	[GRAPH_NETWORK] = "network",
	[GRAPH_CONTAINER] = "container",
};

bool graph_uses(const struct graph *graph, enum graph_state state)
{
	for (size_t i = 0; i < graph->n_nodes; i++)
		if (graph->nodes[i].state == state)
			return true;
	for (size_t i = 0; i < graph->n_edges; i++)
		if (graph->edges[i].state == state)
			return true;
	return false;
}

json_t *graph_json(const struct graph *graph)
{
	json_t *nodes = json_array(), *edges = json_array();
	for (size_t i = 0; i < graph->n_nodes; i++) {
		const struct graph_node *node = &graph->nodes[i];
		json_push(nodes,
			  json_pack("{s:s, s:s, s:o, s:o}", "kind", kinds[node->kind], "state",
				    graph_styles[node->state].name, "title", json_text(node->title),
				    "detail", json_text(node->detail)));
	}
	for (size_t i = 0; i < graph->n_edges; i++) {
		const struct graph_edge *edge = &graph->edges[i];
		json_push(edges, json_pack("{s:i, s:i, s:s, s:o}", "from", (int)edge->from, "to",
					   (int)edge->to, "state", graph_styles[edge->state].name,
					   "label", json_text(edge->label)));
	}
	return json_pack("{s:o, s:o}", "nodes", nodes, "edges", edges);
}

void graph_put(FILE *out, const char *text, const char *special,
	       void (*escape)(FILE *out, char character))
{
	for (size_t length; *text; text += length) {
		length = character_length(text, strnlen(text, 4));
		if (!character_printable(text, length))
			fputc('?', out);
		else if (length == 1 && strchr(special, *text))
			escape(out, *text);
		else
			fwrite(text, 1, length, out);
	}
}
