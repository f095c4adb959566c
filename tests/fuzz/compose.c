/* A Compose project: the file, an override, and the file that each path names. */
#include "convert/import.h"
#include "convert/import_edit.h"
#include "schema/source_text.h"
#include "tests/fuzz/fuzz.h"

#include <string.h>

static bool named_read(void *data, const char *path, struct input *ret, const char **ret_problem)
{
	const struct input *named = data;
	HOLDS(*path);
	*ret = (struct input){path, named->bytes, named->size};
	*ret_problem = NULL;
	return strstr(path, "gone") == NULL;
}

/* Whatever the files say, the result is YAML that can be checked. */
static void import_check(const struct compose_source *source, struct arena *arena)
{
	struct error error;
	struct tree *tree = import_compose(source, arena, &error);
	if (tree)
		import_mark_edits(tree);
	else
		HOLDS(*error.text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pieces pieces = {data, size};
	struct input inputs[3] = {
		{.file = "compose.yaml"}, {.file = "over.yaml"}, {.file = "named"}};
	for (size_t i = 0; i < 3; i++) {
		inputs[i].bytes = (const char *)pieces_next(&pieces, &inputs[i].size);
		if (!inputs[i].bytes)
			inputs[i] = (struct input){inputs[i].file, "{}", 2};
	}
	struct arena *arena = arena_new();
	json_t *environment = json_pack("{s:s}", "OUTER", "outer");
	const struct compose_source source = {.inputs = inputs,
					      .n_inputs = 2,
					      .directory = "p",
					      .project = "shop",
					      .environment = environment,
					      .read = named_read,
					      .data = &inputs[2]};
	import_check(&source, arena);
	json_decref(environment);
	arena_free(arena);
	return 0;
}
