#include "schema/diag_report.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SHOWN_MAX 64 /* limit of a value in a message, in bytes */

bool report_full(const struct context *context)
{
	return context->diags->count >= DIAGS_MAX;
}

void report_place(struct context *context, enum code code, unsigned line, unsigned column,
		  const char *hint, const char *text)
{
	struct diags *diags = context->diags;
	if (report_full(context)) {
		diags->omitted++;
		return;
	}
	struct diag *diag = array_push(diags->arena, diags->items, diags->count);
	diag->place.file = arena_strdup(diags->arena, context->source->file);
	diag->code = code;
	diag->text = arena_strdup(diags->arena, text);
	diag->hint = hint ? arena_strdup(diags->arena, hint) : NULL;
	diag->place.line = line;
	diag->place.column = column;
	if (!line)
		return;
	struct position position = source_find(context->source, line, column);
	diag->source = source_excerpt(context->source, &position, diags->arena, &diag->caret);
}

/* Appends the path to text[used..size), as far as it fits. */
static size_t put_path(struct context *context, const struct scope *scope, char *text, size_t used,
		       size_t size)
{
	if (!scope || (!scope->name && !scope->up))
		return used;
	used = put_path(context, scope->up, text, used, size);
	int length;
	if (scope->name)
		length = snprintf(text + used, size - used, "%s%s", used ? "." : "",
				  printable_text(context, scope->name));
	else
		length = snprintf(text + used, size - used, "[%zu]", scope->index);
	used += (size_t)length;
	return used < size ? used : size - 1;
}

__attribute__((format(printf, 6, 0))) static void
report_args(struct context *context, enum code code, const struct scope *scope,
	    const struct node *at, const char *hint, const char *format, va_list args)
{
	char text[1024];
	size_t used = put_path(context, scope, text, 0, sizeof(text) / 2);
	if (used)
		text[used++] = ' ';
	vsnprintf(text + used, sizeof(text) - used, format, args);
	report_place(context, code, at->line, at->column, hint, text);
}

void report(struct context *context, enum code code, const struct scope *scope,
	    const struct node *at, const char *hint, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	report_args(context, code, scope, at, hint, format, args);
	va_end(args);
}

void report_key(struct context *context, enum code code, const struct scope *scope,
		const struct node *body, const char *key, const char *hint, const char *format, ...)
{
	const struct node *value = node_get(body, key);
	struct scope here = {.up = scope, .name = key};
	va_list args;
	va_start(args, format);
	report_args(context, code, &here, value ? value : body, hint, format, args);
	va_end(args);
}

const char *printable_text(struct context *context, const char *text)
{
	char buffer[SHOWN_MAX + 8];
	size_t used = 0, size = strlen(text), at = 0;
	bool quote = size == 0 || strpbrk(text, " \t\n\"'");

	if (quote)
		buffer[used++] = '"';
	while (at < size && at < SHOWN_MAX - 4) {
		size_t length = character_length(text + at, size - at);
		if (character_printable(text + at, length)) {
			memcpy(buffer + used, text + at, length);
			used += length;
		} else {
			buffer[used++] = '?';
		}
		at += length;
	}
	if (at < size) {
		memcpy(buffer + used, "...", 3);
		used += 3;
	}
	if (quote)
		buffer[used++] = '"';
	return arena_strndup(context->scratch, buffer, used);
}

struct place place_of(const struct context *context, const struct node *node)
{
	return (struct place){context->source->file, node->line, node->column};
}

const char *place_text(struct context *context, const struct place *place)
{
	return arena_printf(context->scratch, "%s:%u:%u", place->file, place->line, place->column);
}

struct sorting {
	struct diag diag;
	size_t file, order;
};

static int compare_places(const void *a, const void *b)
{
	const struct sorting *left = a, *right = b;
	const struct place *from = &left->diag.place, *to = &right->diag.place;
	if (left->file != right->file)
		return left->file < right->file ? -1 : 1;
	if (from->line != to->line)
		return from->line < to->line ? -1 : 1;
	if (from->column != to->column)
		return from->column < to->column ? -1 : 1;
	return left->order < right->order ? -1 : 1;
}

void report_sort(struct diags *diags, size_t from, const struct input *inputs, size_t count)
{
	struct sorting sorting[DIAGS_MAX];
	size_t n = 0;
	for (size_t i = from; i < diags->count && n < DIAGS_MAX; i++, n++) {
		sorting[n] = (struct sorting){.diag = diags->items[i], .order = i};
		while (sorting[n].file < count &&
		       strcmp(inputs[sorting[n].file].file, diags->items[i].place.file) != 0)
			sorting[n].file++;
	}
	/* cppcheck-suppress uninitvar ; the first n are set */
	qsort(sorting, n, sizeof(*sorting), compare_places);
	for (size_t i = 0; i < n; i++)
		diags->items[from + i] = sorting[i].diag;
}
