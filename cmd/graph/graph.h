/* The graph of a configuration: parents, VLANs, networks and containers, each with the action of
 * apply. It is a value; writers convert it to Mermaid, Graphviz DOT, SVG and JSON. */
#ifndef CMD_GRAPH_GRAPH_H
#define CMD_GRAPH_GRAPH_H

#include "reconcile/plan/plan.h"

#include <jansson.h>
#include <stdio.h>

/* From left to right. */
enum graph_kind { GRAPH_PARENT, GRAPH_VLAN, GRAPH_NETWORK, GRAPH_CONTAINER, N_GRAPH_KINDS };

/* The action of apply for a node or an edge. */
enum graph_state {
	GRAPH_SAME,
	GRAPH_CREATE,
	GRAPH_CHANGE, /* or replace */
	GRAPH_DELETE,
	GRAPH_PENDING,
	GRAPH_TROUBLE, /* blocked, refused */
	GRAPH_MISSING, /* a parent that the host does not have */
	N_GRAPH_STATES,
};

struct graph_node {
	enum graph_kind kind;
	enum graph_state state;
	const char *title, *detail; /* detail may be "" */
};

struct graph_edge {
	size_t from, to; /* nodes; the one further to the left comes first */
	enum graph_state state;
	const char *label; /* of an attachment: "eth0 172.16.86.2/24"; else "" */
};

struct graph {
	struct arena *arena;
	struct graph_node *nodes;
	size_t n_nodes;
	struct graph_edge *edges;
	size_t n_edges;
};

/* Copies everything to the arena. */
struct graph graph_make(const struct desired *desired, const struct live *live,
			const struct plan *plan, struct arena *arena);

/* The style of a state: its name, colours as #rrggbb, the plan's sign or word, and its text in the
 * legend. */
struct graph_style {
	const char *name, *fill, *stroke, *sign, *legend;
	bool dashed;
};
extern const struct graph_style graph_styles[N_GRAPH_STATES];
/* Whether a node or an edge has the state: the legend contains only those. */
bool graph_uses(const struct graph *graph, enum graph_state state);

/* Writes the printable part of the text, with `escape` for each character in `special`. */
void graph_put(FILE *out, const char *text, const char *special,
	       void (*escape)(FILE *out, char character));

void graph_mermaid(FILE *out, const struct graph *graph);
void graph_dot(FILE *out, const struct graph *graph);
void graph_svg(FILE *out, const struct graph *graph);
json_t *graph_json(const struct graph *graph);

#endif
