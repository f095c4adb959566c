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

struct desired *attach_files_changed(const struct options *options, const uint64_t *known,
				     uint64_t *ret_content, struct error *error)
{
	struct diags diags;
	diags_init(&diags);
	struct desired *desired = input_load(options, known, &diags, ret_content);
	if (!desired && diags.count)
		diag_error(&diags, error);
	diags_free(&diags);
	return desired;
}

struct desired *attach_files_load(const struct options *options, struct error *error)
{
	uint64_t ignored;
	return attach_files_changed(options, NULL, &ignored, error);
}
