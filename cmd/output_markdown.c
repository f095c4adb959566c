#include "cmd/output_markdown.h"

#include "lib/memory.h"
#include "lib/printable.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Texts that a site turns into links after rendering: mentions, references to issues, merge
 * requests and the like, addresses (GFM 6.9). A backslash does not prevent it; an HTML comment
 * inside the word does. */
static const struct link {
	const char *text;  /* regardless of the next character */
	size_t kept;       /* the part before the HTML comment */
	const char *after; /* set of the next characters; NULL: any */
} links[] = {
	{"@", 1, NULL},    {"#", 1, NULL},         {"GH-", 3, NULL},       {"://", 1, NULL},
	{"www.", 3, NULL}, {"!", 1, "0123456789"}, {"$", 1, "0123456789"}, {"%", 1, "0123456789"},
};

static const struct link *link_at(const char *text)
{
	for (size_t i = 0; i < sizeof(links) / sizeof(links[0]); i++) {
		const size_t length = strlen(links[i].text);
		if (strncasecmp(text, links[i].text, length) == 0 &&
		    (!links[i].after || (text[length] && strchr(links[i].after, text[length]))))
			return &links[i];
	}
	return NULL;
}

static void put_character(FILE *out, const char *text, size_t length)
{
	if (!character_printable(text, length)) {
		fputc('?', out);
		return;
	}
	/* Characters with a meaning within a line (CommonMark 6, GFM 4.10 and 6.5); all others are
	 * unchanged, so that the source is readable, too. */
	if (strchr("\\`*_[]<|~&", *text))
		fputc('\\', out);
	fwrite(text, 1, length, out);
}

void markdown_put(FILE *out, const char *text)
{
	size_t kept = 0; /* characters before the comment */
	for (size_t length; *text; text += length) {
		const struct link *link = kept ? NULL : link_at(text);
		length = character_length(text, strnlen(text, 4));
		put_character(out, text, length);
		kept = link ? link->kept : kept;
		if (kept && --kept == 0)
			fputs("<!-- -->", out);
	}
}

static const char *detail_of(struct arena *arena, const struct step *step, bool verbose)
{
	const char *detail = text_detail(arena, step, verbose);
	return step->hint ? arena_printf(arena, "%s (%s)", detail, step->hint) : detail;
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
	markdown_put(text->out, detail_of(arena, step, text->verbose));
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
	__attribute__((cleanup(arena_cleanup))) struct arena *arena = arena_new();
	fputs("**mvapply** ", text->out);
	text_plan_summary(text, plan, live);
	if (plan->n_steps)
		fputs("\n|  | kind | object | what |\n| --- | --- | --- | --- |\n", text->out);
	for (size_t i = 0; i < plan->n_steps; i++)
		put_step(text, &plan->steps[i]);
	if (plan->n_warnings || live->n_unreadable)
		fputc('\n', text->out);
	put_warnings(text->out, warnings_text(plan->warnings, plan->n_warnings, arena),
		     plan->n_warnings);
	put_warnings(text->out, live_unreadable_texts(live, arena), live->n_unreadable);
}
