#include "convert/saved_plan.h"

#include "lib/json_text.h"
#include "schema/source_text.h"

#include <limits.h>
#include <string.h>

/* The version of the document; other versions are refused. */
#define FORMAT 1

static json_t *inputs_encode(const struct saved_plan *saved)
{
	json_t *list = json_array();
	for (size_t i = 0; i < saved->n_inputs; i++) {
		const struct input *input = &saved->inputs[i];
		json_t *item = json_pack("{s:o, s:s%}", "file", json_text(input->file), "text",
					 input->bytes, input->size);
		json_push(list, item);
	}
	return list;
}

static json_t *lines_encode(const struct fingerprint *live)
{
	json_t *list = json_array();
	for (size_t i = 0; i < live->n_lines; i++)
		json_push(list, json_text(live->lines[i]));
	return list;
}

json_t *saved_plan_encode(const struct saved_plan *saved)
{
	const struct plan_options *options = &saved->options;
	return json_pack("{s:i, s:o, s:{s:b, s:i, s:b, s:i}, s:o, s:o, s:o}", "mvapply_plan",
			 FORMAT, "host", json_text(saved->host), "options", "adopt", options->adopt,
			 "max_delete", (int)options->max_delete.limit, "max_delete_percent",
			 options->max_delete.percent, "max_delete_from",
			 (int)options->max_delete.from, "input", inputs_encode(saved), "live",
			 lines_encode(&saved->live), "steps", saved->steps);
}

static int fail(struct diags *diags, const char *file, unsigned line, unsigned column,
		const char *text)
{
	struct diag *diag = array_push(diags->arena, diags->items, diags->count);
	*diag = (struct diag){
		.place = {.file = arena_strdup(diags->arena, file), .line = line, .column = column},
		.code = CODE_SAVED_PLAN,
		.text = arena_strdup(diags->arena, text),
		.hint = "create a saved plan with `mvapply diff -f FILE --out PLAN`; pass "
			"configuration files with -f"};
	return -1;
}

static int fail_json(struct diags *diags, const char *file, const json_error_t *error)
{
	const bool placed = error->line > 0 && error->column >= 0;
	char *text = arena_printf(diags->arena, "is not a saved plan: %s", error->text);
	text_make_printable(text); /* it cites the file */
	return fail(diags, file, placed ? (unsigned)error->line : 0,
		    placed ? (unsigned)error->column + 1 : 0, text);
}

/* Texts for display must not contain control characters. */
static bool is_printable(const char *text)
{
	return text_printable(text, strlen(text));
}

static bool inputs_decode(const json_t *list, struct arena *arena, struct saved_plan *ret)
{
	size_t index;
	json_t *item;
	json_array_foreach((json_t *)(uintptr_t)list, index, item)
	{
		struct input input;
		const char *file, *text;
		if (json_unpack(item, "{s:s, s:s%!}", "file", &file, "text", &text, &input.size) <
			    0 ||
		    !is_printable(file))
			return false;
		input.file = arena_strdup(arena, file);
		input.bytes = arena_strndup(arena, text, input.size);
		*array_push(arena, ret->inputs, ret->n_inputs) = input;
	}
	return json_is_array(list) && ret->n_inputs > 0;
}

static bool lines_decode(const json_t *list, struct arena *arena, struct fingerprint *ret)
{
	size_t index;
	json_t *item;
	json_array_foreach((json_t *)(uintptr_t)list, index, item)
	{
		if (!json_is_string(item) || !is_printable(json_string_value(item)))
			return false;
		*array_push(arena, ret->lines, ret->n_lines) =
			arena_strdup(arena, json_string_value(item));
	}
	return json_is_array(list);
}

static bool options_decode(struct plan_options *options, int adopt, int percent, int limit,
			   int from)
{
	*options = (struct plan_options){.adopt = adopt,
					 .max_delete = {.limit = (unsigned)limit,
							.percent = percent,
							.from = (unsigned)from}};
	return limit >= 0 && from >= 0 && (!percent || limit <= 100);
}

static int document_decode(const json_t *document, const char *file, struct arena *arena,
			   struct saved_plan *ret, struct diags *diags)
{
	int format, adopt, percent, limit, from;
	const char *host;
	json_t *input, *live, *steps;
	json_error_t error;
	if (json_unpack_ex((json_t *)(uintptr_t)document, &error, 0, "{s:i}", "mvapply_plan",
			   &format) < 0)
		return fail_json(diags, file, &error);
	if (format != FORMAT)
		return fail(
			diags, file, 0, 0,
			arena_printf(diags->arena,
				     "was saved by another version of mvapply (format %d, not %d)",
				     format, FORMAT));
	if (json_unpack_ex((json_t *)(uintptr_t)document, &error, JSON_STRICT,
			   "{s:i, s:s, s:{s:b, s:i, s:b, s:i!}, s:o, s:o, s:o!}", "mvapply_plan",
			   &format, "host", &host, "options", "adopt", &adopt, "max_delete", &limit,
			   "max_delete_percent", &percent, "max_delete_from", &from, "input",
			   &input, "live", &live, "steps", &steps) < 0)
		return fail_json(diags, file, &error);
	ret->steps = json_incref(steps);
	ret->host = arena_strdup(arena, host);
	if (!options_decode(&ret->options, adopt, percent, limit, from))
		return fail(diags, file, 0, 0, "is not a saved plan: its options are out of range");
	if (!inputs_decode(input, arena, ret))
		return fail(diags, file, 0, 0,
			    "is not a saved plan: its input is not a list of files");
	if (!lines_decode(live, arena, &ret->live) || !json_is_array(ret->steps))
		return fail(diags, file, 0, 0,
			    "is not a saved plan: its live state and steps are not lists");
	return 0;
}

int saved_plan_decode(const struct input *file, struct arena *arena, struct saved_plan *ret,
		      struct diags *diags)
{
	json_error_t error;
	json_t *document = json_loadb(file->bytes, file->size,
				      JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &error);
	*ret = (struct saved_plan){0};
	if (!document)
		return fail_json(diags, file->file, &error);
	int status = document_decode(document, file->file, arena, ret, diags);
	if (status < 0)
		saved_plan_free(ret);
	json_decref(document);
	return status;
}

void saved_plan_free(struct saved_plan *saved)
{
	json_decref(saved->steps);
	saved->steps = NULL;
}

static void change_add(struct arena *arena, const char ***changes, size_t *count, const char *when,
		       const char *line)
{
	*array_push(arena, *changes, *count) = arena_printf(arena, "%s: %s", when, line);
}

/* Both are in byte order, so one pass finds the differences. A file in another order causes more
 * differences, never fewer. */
static size_t lines_compare(const struct fingerprint *saved, const struct fingerprint *live,
			    struct arena *arena, const char ***changes)
{
	size_t count = 0, i = 0, k = 0;
	while (i < saved->n_lines || k < live->n_lines) {
		int order = i == saved->n_lines  ? 1
			    : k == live->n_lines ? -1
						 : strcmp(saved->lines[i], live->lines[k]);
		if (order < 0)
			change_add(arena, changes, &count, "was", saved->lines[i]);
		else if (order > 0)
			change_add(arena, changes, &count, "is", live->lines[k]);
		i += order <= 0;
		k += order >= 0;
	}
	return count;
}

size_t saved_plan_compare(const struct saved_plan *saved, const struct fingerprint *live,
			  const json_t *steps, struct arena *arena, const char ***ret_changes)
{
	*ret_changes = NULL;
	size_t count = lines_compare(&saved->live, live, arena, ret_changes);
	if (count == 0 && !json_equal(saved->steps, steps))
		*array_push(arena, *ret_changes, count) =
			"the plan has changed: conflicting objects, the running containers or "
			"mvapply itself are different now";
	return count;
}
