/* Writes a graph as a Mermaid flowchart, which GitHub and GitLab render in Markdown. */
#include "cmd/graph/graph.h"

/* Within "...": entity codes replace characters that would end the text or be taken for markup. */
static void escape(FILE *out, char character)
{
	fprintf(out, "#%d;", character);
}

static void put_text(FILE *out, const char *text)
{
	graph_put(out, text, "\"#<>&`;\\", escape);
}

static void put_node(FILE *out, const struct graph *graph, size_t number)
{
	static const char *const shapes[N_GRAPH_KINDS][2] = {
		[GRAPH_PARENT] = {"[[", "]]"},
		[GRAPH_VLAN] = {"[/", "/]"},
		[GRAPH_NETWORK] = {"(", ")"},
		[GRAPH_CONTAINER] = {"[", "]"},
	};
	const struct graph_node *node = &graph->nodes[number];
	fprintf(out, "  n%zu%s\"", number, shapes[node->kind][0]);
	put_text(out, node->title);
	if (*node->detail) {
		fputs("<br/>", out);
		put_text(out, node->detail);
	}
	fprintf(out, "\"%s:::%s\n", shapes[node->kind][1], graph_styles[node->state].name);
}

static void put_edge(FILE *out, const struct graph_edge *edge)
{
	fprintf(out, "  n%zu %s", edge->from, graph_styles[edge->state].dashed ? "-.->" : "-->");
	if (*edge->label || *graph_styles[edge->state].sign) {
		fputs("|\"", out);
		put_text(out, graph_styles[edge->state].sign);
		fputs(*graph_styles[edge->state].sign && *edge->label ? " " : "", out);
		put_text(out, edge->label);
		fputs("\"|", out);
	}
	fprintf(out, " n%zu\n", edge->to);
}

/* Mermaid styles edges by their number. */
static void put_link_style(FILE *out, const struct graph *graph, enum graph_state state)
{
	const char *before = "  linkStyle ";
	bool any = false;
	for (size_t i = 0; i < graph->n_edges; i++) {
		if (graph->edges[i].state != state)
			continue;
		fprintf(out, "%s%zu", before, i);
		before = ",";
		any = true;
	}
	if (any)
		fprintf(out, " stroke:%s\n", graph_styles[state].stroke);
}

static void put_legend(FILE *out, const struct graph *graph)
{
	if (!graph->n_nodes)
		return;
	fputs("  subgraph legend [Legend]\n", out);
	for (enum graph_state state = GRAPH_SAME; state < N_GRAPH_STATES; state++)
		if (graph_uses(graph, state))
			fprintf(out, "    legend%d[\"%s\"]:::%s\n", (int)state,
				graph_styles[state].legend, graph_styles[state].name);
	fputs("  end\n", out);
}

static void put_styles(FILE *out, const struct graph *graph, enum graph_state state)
{
	const struct graph_style *style = &graph_styles[state];
	if (graph_uses(graph, state))
		fprintf(out, "  classDef %s fill:%s,stroke:%s,color:#24292f%s\n", style->name,
			style->fill, style->stroke, style->dashed ? ",stroke-dasharray:4" : "");
	put_link_style(out, graph, state);
}

void graph_mermaid(FILE *out, const struct graph *graph)
{
	fputs("flowchart LR\n", out);
	for (size_t i = 0; i < graph->n_nodes; i++)
		put_node(out, graph, i);
	for (size_t i = 0; i < graph->n_edges; i++)
		put_edge(out, &graph->edges[i]);
	put_legend(out, graph);
	for (enum graph_state state = GRAPH_SAME; state < N_GRAPH_STATES; state++)
		put_styles(out, graph, state);
}
