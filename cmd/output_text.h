/* Prints results as text. */
#ifndef CMD_OUTPUT_TEXT_H
#define CMD_OUTPUT_TEXT_H

#include "cmd/options.h"
#include "reconcile/apply/apply.h"
#include "reconcile/plan/plan.h"
#include "schema/diag.h"

#include <stdio.h>

struct text {
	FILE *out;
	bool color;
	bool verbose;
	bool with_set; /* several sets: print the set of each object */
};

struct text text_new(const struct options *options, FILE *out, size_t n_sets);

void text_diags(const struct diags *diags);
/* The steps of the plan, a line each: those whose action is in `shown`, a mask of 1 << action.
 * `outcomes` NULL: the plan is not applied. */
#define TEXT_ALL      (~0U)
#define TEXT_TROUBLES (1U << ACTION_BLOCKED | 1U << ACTION_REFUSED)
void text_plan(const struct text *text, const struct plan *plan, const struct outcome *outcomes,
	       unsigned shown);
/* "Plan: 2 to create, 1 pending." or "Nothing to do.", about the part of the host that could be
 * read. */
void text_plan_summary(const struct text *text, const struct plan *plan, const struct live *live);
/* The failures, on stderr. */
void text_failures(const struct text *text, const struct plan *plan,
		   const struct outcome *outcomes);
/* "Done: 2 created. Failed: 1." */
void text_done(const struct text *text, const struct plan *plan, const struct outcome *outcomes);
/* "mvapply: warning: ..." on stderr, for each. */
void text_warnings(const struct plan *plan, const struct live *live);
/* One of them. */
void text_warning(const char *warning);
void text_unreadable(const struct live *live);
void text_error(const struct error *error);
/* "mvapply: note: ..." on stderr. */
void text_note(const char *note);

/* "web/lan", "lab:web/lan", or a link's name: the ID of an object in a plan, printable. */
const char *step_id(struct arena *arena, const struct step *step, bool with_set);
/* The limit of printed addresses and changes of a live link; the rest is counted: a container can
 * create any number of them. */
#define TEXT_SHOWN_MAX 8
/* The text after the ID in a line of the plan, printable, in the arena; `verbose`: without
 * shortening. */
const char *text_detail(struct arena *arena, const struct step *step, bool verbose);
/* "eth0 172.16.86.2/24": the name and the addresses of a live link, without link-local ones. */
void text_live_link(FILE *out, const struct live_ns *ns, const struct live_link *link,
		    bool verbose);
const char *text_sign(enum action action); /* "+", "-/+" */
const char *step_noun(const struct step *step);

#endif
