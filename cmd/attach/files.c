#include "cmd/attach/files.h"

#include "cmd/excerpt.h"

#include <errno.h>

void attach_files_error(const struct diags *diags, struct error *error)
{
	__attribute__((cleanup(arena_cleanup))) struct arena *arena = arena_new();
	const struct diag *diag = &diags->items[0];
	error_set(error, EINVAL, "%s: %s", place_format(arena, &diag->place), diag->text);
	error_code(error, diag->code);
	if (diag->hint)
		error_hint(error, "%s", diag->hint);
}

struct attach_files attach_files_read(const struct options *options, struct arena *arena,
				      struct diags *diags)
{
	struct attach_files files;
	files.bad = input_contents(options, arena, &files.inputs, &files.count, diags);
	return files;
}

/* NULL: there is no excerpt. */
static struct desired *excerpt_load(const struct options *options, const struct attach_files *files,
				    const struct service_container *container)
{
	__attribute__((cleanup(arena_cleanup))) struct arena *arena = arena_new();
	struct diags diags;
	diags_init(&diags);
	const uint64_t content = input_hash(options, files->inputs, files->count, &diags);
	const struct input *excerpt =
		excerpt_make(files->inputs, files->count, content, container, arena);
	struct desired *desired =
		excerpt ? input_parse(options, excerpt, files->count, 0, &diags) : NULL;
	if (desired)
		desired->excerpt = true;
	diags_free(&diags);
	return desired;
}

int attach_files_with(const struct options *options, const struct attach_files *files,
		      const struct service_container *container, attach_files_use *use, void *data,
		      struct diags *diags, struct error *error)
{
	struct desired *desired =
		container && !files->bad ? excerpt_load(options, files, container) : NULL;
	int status = desired ? use(desired, data, error) : -ESTALE;
	desired_free(desired);
	if (status != -ESTALE)
		return status;
	desired = input_parse(options, files->inputs, files->count, files->bad, diags);
	status = desired ? use(desired, data, error) : -EINVAL;
	desired_free(desired);
	return status;
}

struct desired *attach_files_changed(const struct options *options, const uint64_t *known,
				     uint64_t *ret_content, struct error *error)
{
	struct diags diags;
	diags_init(&diags);
	struct desired *desired = input_load(options, known, &diags, ret_content);
	if (!desired && diags.count)
		attach_files_error(&diags, error);
	diags_free(&diags);
	return desired;
}

struct desired *attach_files_load(const struct options *options, struct error *error)
{
	uint64_t ignored;
	return attach_files_changed(options, NULL, &ignored, error);
}
