/* Files of the input: one, or two with a NUL between; for all hosts, and for one. */
#include "schema/load.h"
#include "tests/fuzz/fuzz.h"

#include <string.h>

/* A finding has a place in the file, and consists of printable characters. */
static void diag_check(const struct diag *diag, struct arena *arena)
{
	HOLDS(diag->text && *diag->text);
	HOLDS(strcmp(diag->place.file, "a.yaml") == 0 || strcmp(diag->place.file, "b.yaml") == 0 ||
	      strcmp(diag->place.file, "--host") == 0);
	const char *text = diag_format(arena, diag, 80);
	for (; *text; text++)
		HOLDS((unsigned char)*text >= ' ' || *text == '\n');
}

static void load_check(const struct input *inputs, size_t count, const char *host)
{
	struct arena *arena = arena_new();
	struct diags diags;
	diags_init(&diags);
	struct desired *desired = load(inputs, count, host, &diags);
	HOLDS((desired == NULL) == (diags.count > 0));
	for (size_t i = 0; i < diags.count; i++)
		diag_check(&diags.items[i], arena);
	for (size_t i = 0; desired && i < desired->n_sets; i++)
		HOLDS(desired->sets[i].name && *desired->sets[i].name);
	desired_free(desired);
	diags_free(&diags);
	arena_free(arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input inputs[2] = {{.file = "a.yaml"}, {.file = "b.yaml"}};
	const uint8_t *cut = size ? memchr(data, '\0', size) : NULL;
	size_t first = cut ? (size_t)(cut - data) : size;
	inputs[0].bytes = (const char *)data;
	inputs[0].size = first;
	inputs[1].bytes = cut ? (const char *)cut + 1 : "";
	inputs[1].size = cut ? size - first - 1 : 0;
	load_check(inputs, cut ? 2 : 1, NULL);
	load_check(inputs, cut ? 2 : 1, "a1");
	return 0;
}
