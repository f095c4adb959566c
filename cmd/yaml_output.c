#include "cmd/yaml_output.h"

#include "cmd/exit.h"
#include "cmd/incomplete.h"
#include "cmd/output_json.h"
#include "cmd/output_text.h"

#include <stdio.h>

static void note_visit(const char *place, const char *text, void *data)
{
	json_push(data, json_pack("{s:o, s:o}", "at", json_text(place), "text", json_text(text)));
}

static json_t *json_notes(const struct converted *converted)
{
	json_t *documents = json_array(), *notes = json_array();
	for (size_t i = 0; i < converted->count; i++) {
		json_push(documents, tree_json(converted->documents[i]));
		tree_each_comment(converted->documents[i], note_visit, notes);
	}
	json_t *document = json_pack("{s:o, s:o}", "documents", documents, "notes", notes);
	if (converted->live)
		incomplete_json(document, converted->live);
	return document;
}

int converted_write(const struct converted *converted, const struct options *options)
{
	struct error fault = {0};
	int code = converted->live ? incomplete_exit(converted->live, EXIT_CONVERGED, &fault)
				   : EXIT_CONVERGED;
	if (options->output == OUTPUT_JSON)
		return json_finish(json_notes(converted), code);
	if (fault.code)
		tree_yaml_comment(stdout, "INCOMPLETE: some network namespaces cannot be read, "
					  "and their links are missing here.");
	tree_yaml_comment(stdout, converted->comment);
	for (size_t i = 0; i < converted->count; i++) {
		if (i)
			puts("---");
		tree_yaml(stdout, converted->documents[i]);
	}
	if (fault.code)
		text_error(&fault);
	return code;
}
