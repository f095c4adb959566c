#include "schema/diag.h"

#include "lib/wrap.h"

void diags_init(struct diags *diags)
{
	*diags = (struct diags){.arena = arena_new()};
}

void diags_free(struct diags *diags)
{
	arena_free(diags->arena);
	*diags = (struct diags){0};
}

const char *place_format(struct arena *arena, const struct place *place)
{
	if (!place->line)
		return place->file;
	return arena_printf(arena, "%s:%u:%u", place->file, place->line, place->column);
}

const char *diag_format(struct arena *arena, const struct diag *diag, size_t columns)
{
	const char *excerpt = "", *hint = "";
	if (diag->source)
		excerpt = arena_printf(arena, "    %s\n    %*s^\n", diag->source, (int)diag->caret,
				       "");
	if (diag->hint)
		hint = arena_printf(arena, "%s\n",
				    wrap(arena, columns, "    hint: ", 10, diag->hint));
	const char *message = coded(arena, diag->text, diag->code);
	const char *place = arena_printf(arena, "%s: error: ", place_format(arena, &diag->place));
	return arena_printf(arena, "%s\n%s%s", wrap(arena, columns, place, 2, message), excerpt,
			    hint);
}
