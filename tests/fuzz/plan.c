/* Saved plans. A valid one is unchanged after it was written and read. */
#include "convert/saved_plan.h"
#include "lib/wrap.h"
#include "tests/fuzz/fuzz.h"

#include <string.h>

static bool decode(const char *bytes, size_t size, struct arena *arena, struct saved_plan *ret)
{
	const struct input input = {.file = "plan.json", .bytes = bytes, .size = size};
	struct diags diags;
	diags_init(&diags);
	int status = saved_plan_decode(&input, arena, ret, &diags);
	HOLDS((status == 0) == (diags.count == 0));
	for (size_t i = 0; i < diags.count; i++)
		HOLDS(*diags.items[i].text && *diag_format(arena, &diags.items[i], WRAP_NEVER));
	diags_free(&diags);
	return status == 0;
}

/* A plan has no effect beyond its input, which is loaded like any other. */
static void load_check(const struct saved_plan *saved)
{
	struct diags diags;
	diags_init(&diags);
	struct desired *desired = load(saved->inputs, saved->n_inputs, saved->host, &diags);
	HOLDS((desired == NULL) == (diags.count > 0));
	desired_free(desired);
	diags_free(&diags);
}

static void again(struct saved_plan *saved, struct arena *arena)
{
	struct saved_plan second;
	const char **changes;
	json_incref(saved->steps);
	json_t *document = saved_plan_encode(saved);
	if (!document)
		return;
	char *text = json_dumps(document, JSON_COMPACT);
	HOLDS(text && decode(text, strlen(text), arena, &second));
	HOLDS(saved_plan_compare(saved, &second.live, second.steps, arena, &changes) == 0);
	saved_plan_free(&second);
	free(text);
	json_decref(document);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *arena = arena_new();
	struct saved_plan saved;
	if (decode((const char *)data, size, arena, &saved)) {
		load_check(&saved);
		again(&saved, arena);
		saved_plan_free(&saved);
	}
	arena_free(arena);
	return 0;
}
