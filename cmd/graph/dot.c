/* Writes a graph as Graphviz DOT. */
#include "cmd/graph/graph.h"

static void escape(FILE *out, char character)
{
	fprintf(out, "\\%c", character);
}

static void put_text(FILE *out, const char *text)
{
	graph_put(out, text, "\"\\", escape);
}

static void put_node(FILE *out, const struct graph *graph, size_t number)
{
	static const char *const shapes[N_GRAPH_KINDS] = {
		[GRAPH_PARENT] = "box3d",
		[GRAPH_VLAN] = "parallelogram",
		[GRAPH_NETWORK] = "box",
		[GRAPH_CONTAINER] = "box",
	};
	const struct graph_node *node = &graph->nodes[number];
	const struct graph_style *style = &graph_styles[node->state];
	fprintf(out, "  n%zu [label=\"", number);
	put_text(out, node->title);
	if (*node->detail) {
		fputs("\\n", out);
		put_text(out, node->detail);
	}
	fprintf(out, "\", shape=%s, style=\"filled%s%s\", fillcolor=\"%s\", color=\"%s\"];\n",
		shapes[node->kind], node->kind == GRAPH_NETWORK ? ",rounded" : "",
		style->dashed ? ",dashed" : "", style->fill, style->stroke);
}

static void put_edge(FILE *out, const struct graph_edge *edge)
{
	const struct graph_style *style = &graph_styles[edge->state];
	fprintf(out, "  n%zu -> n%zu [label=\"%s%s", edge->from, edge->to, style->sign,
		*style->sign && *edge->label ? " " : "");
	put_text(out, edge->label);
	fprintf(out, "\", color=\"%s\"%s];\n", style->stroke,
		style->dashed ? ", style=dashed" : "");
}

static void put_legend(FILE *out, const struct graph *graph)
{
	if (!graph->n_nodes)
		return;
	fputs("  subgraph cluster_legend {\n    label=\"Legend\";\n", out);
	for (enum graph_state state = GRAPH_SAME; state < N_GRAPH_STATES; state++) {
		const struct graph_style *style = &graph_styles[state];
		if (graph_uses(graph, state))
			fprintf(out,
				"    legend%d [label=\"%s\", shape=box, style=\"filled%s\", "
				"fillcolor=\"%s\", color=\"%s\"];\n",
				(int)state, style->legend, style->dashed ? ",dashed" : "",
				style->fill, style->stroke);
	}
	fputs("  }\n", out);
}

void graph_dot(FILE *out, const struct graph *graph)
{
	fputs("digraph mvapply {\n"
	      "  rankdir=LR;\n"
	      "  node [fontname=\"sans-serif\", fontsize=11];\n"
	      "  edge [fontname=\"sans-serif\", fontsize=10];\n"
	      "  fontname=\"sans-serif\"; fontsize=11;\n",
	      out);
	for (size_t i = 0; i < graph->n_nodes; i++)
		put_node(out, graph, i);
	for (size_t i = 0; i < graph->n_edges; i++)
		put_edge(out, &graph->edges[i]);
	put_legend(out, graph);
	fputs("}\n", out);
}
