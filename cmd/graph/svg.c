/* Writes a graph as SVG 1.1 with its own layout: a column for each kind, a box for each node, and
 * in a container's box one line for each attachment, where its edge ends. */
#include "cmd/graph/graph.h"
#include "lib/display_width.h"

/* In pixels. The font is monospaced, so that the width of a text is known: 0.6 of its size per
 * character. */
#define FONT_SIZE  12
#define CHAR_WIDTH 7.25
#define LINE       18
#define PADDING    10
#define ROW_GAP    14
#define COLUMN_GAP 90
#define MARGIN     16

struct box {
	double x, y, width, height;
	size_t lines; /* lines of the node: its title and detail, then those of its edges */
};

struct layout {
	const struct graph *graph;
	struct box *boxes;
	size_t *lines; /* of each edge: the line of its end in the box, or 0 */
	double width, height;
	double legend; /* offset from the top */
};

static void escape(FILE *out, char character)
{
	fprintf(out, "&#%d;", character);
}

static void put_text(FILE *out, const char *text)
{
	graph_put(out, text, "&<>\"", escape);
}

static void box_fit(struct box *box, const char *text)
{
	double width = (double)text_columns(text) * CHAR_WIDTH + 2 * PADDING;
	if (width > box->width)
		box->width = width;
}

/* "+ eth0 172.16.86.2/24" */
static const char *edge_text(const struct graph *graph, const struct graph_edge *edge)
{
	const char *sign = graph_styles[edge->state].sign;
	return arena_printf(graph->arena, "%s%s%s", sign, *sign && *edge->label ? " " : "",
			    edge->label);
}

static void boxes_size(struct layout *layout)
{
	const struct graph *graph = layout->graph;
	for (size_t i = 0; i < graph->n_nodes; i++) {
		struct box *box = &layout->boxes[i];
		box->lines = *graph->nodes[i].detail ? 2 : 1;
		box->height = (double)box->lines * LINE + PADDING;
		box_fit(box, graph->nodes[i].title);
		box_fit(box, graph->nodes[i].detail);
	}
	for (size_t i = 0; i < graph->n_edges; i++) {
		const struct graph_edge *edge = &graph->edges[i];
		if (graph->nodes[edge->to].kind != GRAPH_CONTAINER)
			continue;
		layout->lines[i] = layout->boxes[edge->to].lines++;
		layout->boxes[edge->to].height += LINE;
		box_fit(&layout->boxes[edge->to], edge_text(graph, edge));
	}
}

static double column_width(const struct layout *layout, enum graph_kind kind)
{
	double width = 0;
	for (size_t i = 0; i < layout->graph->n_nodes; i++)
		if (layout->graph->nodes[i].kind == kind && layout->boxes[i].width > width)
			width = layout->boxes[i].width;
	return width;
}

/* Places the nodes of a column in their order, from the top. */
static double column_place(struct layout *layout, enum graph_kind kind, double x, double width)
{
	double y = MARGIN;
	for (size_t i = 0; i < layout->graph->n_nodes; i++) {
		struct box *box = &layout->boxes[i];
		if (layout->graph->nodes[i].kind != kind)
			continue;
		box->x = x;
		box->y = y;
		box->width = width;
		y += box->height + ROW_GAP;
	}
	return y;
}

static void columns_place(struct layout *layout)
{
	double x = MARGIN;
	for (enum graph_kind kind = GRAPH_PARENT; kind < N_GRAPH_KINDS; kind++) {
		double width = column_width(layout, kind);
		double bottom = column_place(layout, kind, x, width);
		if (bottom > layout->height)
			layout->height = bottom;
		x += width > 0 ? width + COLUMN_GAP : 0;
	}
	layout->width = x - COLUMN_GAP + MARGIN;
}

/* A line for each state, below everything else. */
static void legend_place(struct layout *layout)
{
	layout->legend = layout->height;
	layout->height += LINE + PADDING;
	for (enum graph_state state = GRAPH_SAME; state < N_GRAPH_STATES; state++) {
		struct box box = {0};
		if (!graph_uses(layout->graph, state))
			continue;
		box_fit(&box, graph_styles[state].legend);
		layout->height += LINE;
		if (2 * MARGIN + LINE + box.width > layout->width)
			layout->width = 2 * MARGIN + LINE + box.width;
	}
}

static void put_line(FILE *out, const struct box *box, size_t line, const char *color,
		     const char *text)
{
	fprintf(out, "<text x=\"%.1f\" y=\"%.1f\" fill=\"%s\"%s>", box->x + PADDING,
		box->y + (double)(line + 1) * LINE, color,
		line == 0 ? " font-weight=\"bold\"" : "");
	put_text(out, text);
	fputs("</text>\n", out);
}

static void put_rectangle(FILE *out, const struct box *box, const struct graph_style *style,
			  int radius)
{
	fprintf(out,
		"<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" rx=\"%d\" "
		"fill=\"%s\" stroke=\"%s\"%s/>\n",
		box->x, box->y, box->width, box->height, radius, style->fill, style->stroke,
		style->dashed ? " stroke-dasharray=\"4\"" : "");
}

static void put_box(FILE *out, const struct layout *layout, size_t number)
{
	const struct graph_node *node = &layout->graph->nodes[number];
	const struct box *box = &layout->boxes[number];
	put_rectangle(out, box, &graph_styles[node->state], node->kind == GRAPH_NETWORK ? 10 : 2);
	put_line(out, box, 0, "#24292f", node->title);
	if (*node->detail)
		put_line(out, box, 1, "#57606a", node->detail);
}

/* A curve that leaves to the right and arrives from the left. */
static void put_edge(FILE *out, const struct layout *layout, size_t number)
{
	const struct graph_edge *edge = &layout->graph->edges[number];
	const struct graph_style *style = &graph_styles[edge->state];
	const struct box *from = &layout->boxes[edge->from];
	const struct box *to = &layout->boxes[edge->to];
	double x1 = from->x + from->width, y1 = from->y + from->height / 2;
	double y2 = to->y + to->height / 2;
	if (layout->lines[number])
		y2 = to->y + (double)layout->lines[number] * LINE + LINE * 0.7;
	fprintf(out,
		"<path d=\"M%.1f %.1f C%.1f %.1f %.1f %.1f %.1f %.1f\" fill=\"none\" "
		"stroke=\"%s\"%s/>\n",
		x1, y1, x1 + COLUMN_GAP * 0.5, y1, to->x - COLUMN_GAP * 0.5, y2, to->x, y2,
		style->stroke, style->dashed ? " stroke-dasharray=\"4\"" : "");
}

static void put_edge_line(FILE *out, const struct layout *layout, size_t number)
{
	const struct graph_edge *edge = &layout->graph->edges[number];
	if (layout->lines[number])
		put_line(out, &layout->boxes[edge->to], layout->lines[number],
			 graph_styles[edge->state].stroke, edge_text(layout->graph, edge));
}

static void put_legend(FILE *out, const struct layout *layout)
{
	struct box box = {.x = MARGIN, .y = layout->legend, .width = 14, .height = 14};
	put_line(out, &(struct box){.x = MARGIN - PADDING, .y = box.y - 4}, 0, "#24292f", "Legend");
	for (enum graph_state state = GRAPH_SAME; state < N_GRAPH_STATES; state++) {
		const struct graph_style *style = &graph_styles[state];
		if (!graph_uses(layout->graph, state))
			continue;
		box.y += LINE;
		put_rectangle(out, &box, style, 2);
		fprintf(out, "<text x=\"%.1f\" y=\"%.1f\" fill=\"#24292f\">%s</text>\n",
			box.x + LINE + PADDING / 2.0, box.y + 11, style->legend);
	}
}

void graph_svg(FILE *out, const struct graph *graph)
{
	struct arena *arena = graph->arena;
	struct layout layout = {.graph = graph,
				.boxes = arena_alloc(arena, graph->n_nodes * sizeof(struct box)),
				.lines = arena_alloc(arena, graph->n_edges * sizeof(size_t)),
				.width = 2 * MARGIN,
				.height = 2 * MARGIN};
	boxes_size(&layout);
	if (graph->n_nodes) {
		columns_place(&layout);
		legend_place(&layout);
	}
	fprintf(out,
		"<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%.0f\" height=\"%.0f\" "
		"font-family=\"monospace\" font-size=\"%d\">\n"
		"<title>Networks and containers</title>\n"
		"<rect width=\"100%%\" height=\"100%%\" fill=\"#ffffff\"/>\n",
		layout.width, layout.height, FONT_SIZE);
	for (size_t i = 0; i < graph->n_edges; i++)
		put_edge(out, &layout, i);
	for (size_t i = 0; i < graph->n_nodes; i++)
		put_box(out, &layout, i);
	for (size_t i = 0; i < graph->n_edges; i++)
		put_edge_line(out, &layout, i);
	if (graph->n_nodes)
		put_legend(out, &layout);
	fputs("</svg>\n", out);
}
