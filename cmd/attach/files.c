#include "cmd/attach/files.h"

#include "cmd/input.h"

#include <errno.h>

static void diag_error(const struct diags *diags, struct error *error)
{
	__attribute__((cleanup(arena_cleanup))) struct arena *arena = arena_new();
	const struct diag *diag = &diags->items[0];
	error_set(error, EINVAL, "%s: %s", place_format(arena, &diag->place), diag->text);
	error_code(error, diag->code);
	if (diag->hint)
		error_hint(error, "%s", diag->hint);
}

struct desired *attach_files_load(const struct options *options, struct error *error)
{
	__attribute__((cleanup(arena_cleanup))) struct arena *arena = arena_new();
	struct input *inputs;
	size_t count;
	struct diags diags;
	diags_init(&diags);
	const int bad = input_contents(options, arena, &inputs, &count, &diags);
	struct desired *desired = input_parse(options, inputs, count, bad, &diags);
	if (!desired)
		diag_error(&diags, error);
	diags_free(&diags);
	return desired;
}
