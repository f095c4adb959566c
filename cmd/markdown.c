#include "cmd/markdown.h"

#include "base/memory.h"

#include <stdlib.h>
#include <string.h>

/* What means something within a line (CommonMark 6, GFM 4.10 and 6.5); all else is left as it is,
 * so that the source can be read, too. */
void markdown_put(FILE *out, const char *text)
{
	for (; *text; text++) {
		if (strchr("\\`*_[]<|~&", *text))
			fputc('\\', out);
		fputc((unsigned char)*text < 0x20 ? ' ' : *text, out);
	}
}

static void put_detail(FILE *out, const struct step *step, bool verbose)
{
	char *detail = NULL;
	size_t size = 0;
	FILE *stream = memory_or_die(open_memstream(&detail, &size));
	text_detail(stream, step, verbose);
	if (step->hint)
		fprintf(stream, " (%s)", step->hint);
	fclose(stream);
	markdown_put(out, memory_or_die(detail));
	free(detail);
}

static const char *without_blanks(const char *text)
{
	return text + strspn(text, " ");
}

static void put_step(const struct text *text, const struct step *step)
{
	__attribute__((cleanup(arena_cleanup))) struct arena *arena = arena_new();
	fputs("| ", text->out);
	markdown_put(text->out, without_blanks(text_sign(step->action)));
	fprintf(text->out, " | %s | ", step_noun(step));
	markdown_put(text->out, step_id(arena, step, text->with_set));
	fputs(" | ", text->out);
	put_detail(text->out, step, text->verbose);
	fputs(" |\n", text->out);
}

static void put_warnings(FILE *out, const char *const *sentences, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		fputs("- warning: ", out);
		markdown_put(out, sentences[i]);
		fputc('\n', out);
	}
}

void markdown_plan(const struct text *text, const struct plan *plan, const struct live *live)
{
	fputs("**mvapply** ", text->out);
	text_plan_summary(text, plan, live);
	if (plan->n_steps)
		fputs("\n|  | kind | object | what |\n| --- | --- | --- | --- |\n", text->out);
	for (size_t i = 0; i < plan->n_steps; i++)
		put_step(text, &plan->steps[i]);
	if (plan->n_warnings || live->n_unseen)
		fputc('\n', text->out);
	put_warnings(text->out, plan->warnings, plan->n_warnings);
	put_warnings(text->out, live->unseen, live->n_unseen);
}
