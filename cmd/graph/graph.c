#include "cmd/graph/graph.h"

#include "cmd/commands.h"
#include "cmd/exit.h"
#include "cmd/incomplete.h"
#include "cmd/input.h"
#include "cmd/output.h"
#include "cmd/output_json.h"
#include "cmd/output_text.h"
#include "cmd/session.h"

static void (*const writers[])(FILE *, const struct graph *) = {
	[FORMAT_MERMAID] = graph_mermaid,
	[FORMAT_DOT] = graph_dot,
	[FORMAT_SVG] = graph_svg,
};

static json_t *document(const struct graph *graph, const struct run *run)
{
	json_t *json = graph_json(graph);
	incomplete_json(json, run->live);
	return json;
}

static int graph_write(const struct options *options, const struct desired *desired,
		       const struct run *run)
{
	struct error fault = {0};
	int code = incomplete_exit(run->live, EXIT_CONVERGED, &fault);
	__attribute__((cleanup(arena_cleanup))) struct arena *arena = arena_new();
	struct graph graph = graph_make(desired, run->live, run->plan, arena);
	if (options->output == OUTPUT_JSON)
		return json_finish(document(&graph, run), code);
	writers[options->format](stdout, &graph);
	if (fault.code)
		text_error(&fault);
	return code;
}

int command_graph(const struct options *options)
{
	struct desired *desired = input_read(options);
	if (!desired)
		return EXIT_USAGE;
	struct run run;
	struct error error;
	int code;
	if (run_observe(&run, desired, options, &error) < 0) {
		code = run_error(&error, options);
	} else {
		text_warnings(run.plan, run.live);
		code = graph_write(options, desired, &run);
		run_free(&run);
	}
	desired_free(desired);
	return code;
}
