#include "cmd/output_text.h"

#include "cmd/ansi.h"
#include "cmd/terminal.h"
#include "lib/display_width.h"
#include "lib/memory.h"
#include "lib/printable.h"
#include "lib/wrap.h"
#include "schema/words.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Wider names do not push the column of the details further. */
#define ID_WIDTH_MAX 40

static const struct {
	const char *sign, *color;
	const char *counted; /* in "Plan: ..." */
	const char *done;    /* in "Done: ..." */
} actions[] = {
	[ACTION_CREATE] = {"+", SGR_GREEN, "to create", "created"},
	[ACTION_CHANGE] = {"~", SGR_YELLOW, "to change", "changed"},
	[ACTION_REPLACE] = {"-/+", SGR_YELLOW, "to replace", "replaced"},
	[ACTION_DELETE] = {"-", SGR_RED, "to delete", "deleted"},
	[ACTION_KEPT] = {"  kept", "", "kept", NULL},
	[ACTION_PENDING] = {"  pending", "", "pending", NULL},
	[ACTION_BLOCKED] = {"! blocked", SGR_RED, "blocked", NULL},
	[ACTION_REFUSED] = {"! refused", SGR_RED, "refused", NULL},
};

enum { N_ACTIONS = sizeof(actions) / sizeof(actions[0]) };

struct text text_new(const struct options *options, FILE *out, size_t n_sets)
{
	const char *no_color = getenv("NO_COLOR");
	bool automatic = terminal_draws(fileno(out)) && !(no_color && *no_color);
	return (struct text){
		.out = out,
		.color = options->color == COLOR_ALWAYS ||
			 (options->color == COLOR_AUTO && automatic),
		.verbose = options->verbose,
		.with_set = n_sets > 1,
	};
}

void text_diags(const struct diags *diags)
{
	for (size_t i = 0; i < diags->count; i++)
		fputs(diag_format(diags->arena, &diags->items[i]), stderr);
	if (diags->omitted)
		fprintf(stderr, "mvapply: and %zu more errors\n", diags->omitted);
}

/* A line on stderr, or as many as its length asks for. */
static void report(const char *first, const char *text)
{
	__attribute__((cleanup(arena_cleanup))) struct arena *arena = arena_new();
	fflush(stdout); /* where both are one file, in the order in which it came */
	fprintf(stderr, "%s\n", wrap(arena, first, 4, text));
}

void text_error(const struct error *error)
{
	__attribute__((cleanup(arena_cleanup))) struct arena *arena = arena_new();
	report("mvapply: error: ", coded(arena, error->text, error->code));
	if (*error->hint)
		report("  hint: ", error->hint);
}

void text_note(const char *note)
{
	report("mvapply: note: ", note);
}

void text_warning(const char *warning)
{
	report("mvapply: warning: ", warning);
}

void text_warnings(const struct plan *plan, const struct live *live)
{
	__attribute__((cleanup(arena_cleanup))) struct arena *arena = arena_new();
	for (size_t i = 0; i < plan->n_warnings; i++)
		text_warning(warning_text(&plan->warnings[i], arena));
	text_unreadable(live);
}

void text_unreadable(const struct live *live)
{
	for (size_t i = 0; i < live->n_unreadable; i++)
		report("mvapply: warning: not looked at: ", live->unreadable[i].text);
}

static const char *const nouns[] = {
	[ROLE_NONE] = "network", [ROLE_ATTACH] = "attach", [ROLE_HOST] = "host",
	[ROLE_DUMMY] = "link",   [ROLE_VLAN] = "link",
};

const char *text_sign(enum action action)
{
	return actions[action].sign;
}

const char *step_noun(const struct step *step)
{
	return step->stray ? "stray" : nouns[step->mark.role];
}

static const char *id_of(struct arena *arena, const struct step *step, bool with_set)
{
	const struct owner_tag *mark = &step->mark;
	const char *set = with_set && mark->set ? mark->set : "";
	const char *colon = *set ? ":" : "";
	switch (mark->role) {
	case ROLE_ATTACH:
		return arena_printf(arena, "%s%s%s/%s", set, colon, mark->container, mark->network);
	case ROLE_HOST:
	case ROLE_NONE:
		return arena_printf(arena, "%s%s%s", set, colon, mark->network);
	case ROLE_DUMMY:
	case ROLE_VLAN:
		break;
	}
	return step->name;
}

const char *step_id(struct arena *arena, const struct step *step, bool with_set)
{
	return printable(arena, id_of(arena, step, with_set));
}

static void detail_route(FILE *out, const struct link_route *route)
{
	char to[PREFIX_TEXT_SIZE], via[IP_TEXT_SIZE];
	fprintf(out, " %s", route->to.len ? prefix_format(&route->to, to) : "default");
	if (route->via.family)
		fprintf(out, " via %s", ip_format(&route->via, via));
}

static void detail_attachment(FILE *out, const struct link_spec *desired, bool verbose)
{
	char address[PREFIX_TEXT_SIZE], mac[MAC_TEXT_SIZE];
	fputs(desired->name, out);
	fputs(desired->dhcp.wanted ? " dhcp" : "", out);
	for (size_t i = 0; i < desired->n_addrs; i++)
		fprintf(out, " %s", prefix_format(&desired->addrs[i], address));
	if (desired->mac.set)
		fprintf(out, " %s", mac_format(&desired->mac, mac));
	for (size_t i = 0; i < desired->n_routes; i++)
		if (verbose || desired->routes[i].to.len == 0)
			detail_route(out, &desired->routes[i]);
	if (!verbose)
		return;
	fprintf(out, " %s on %s", link_mode_name(desired->mode), desired->parent_name);
	if (desired->mtu)
		fprintf(out, " mtu %u", desired->mtu);
	for (size_t i = 0; i < desired->n_sysctls; i++)
		fprintf(out, " %s=%s", desired->sysctls[i].key, desired->sysctls[i].value);
}

static void detail_create(FILE *out, const struct link_spec *desired, bool verbose)
{
	switch (desired->mark.role) {
	case ROLE_VLAN:
		fprintf(out, "vlan %u on %s", desired->vlan, desired->parent_name);
		if (desired->vlan_protocol != VLAN_8021Q)
			fprintf(out, " %s", vlan_protocol_name(desired->vlan_protocol));
		break;
	case ROLE_DUMMY:
		fprintf(out, "dummy for network %s", desired->mark.network);
		break;
	case ROLE_ATTACH:
	case ROLE_HOST:
	case ROLE_NONE:
		detail_attachment(out, desired, verbose);
		break;
	}
}

static void detail_change(FILE *out, const struct change *change)
{
	const char *name =
		change->field == FIELD_SYSCTL ? change->sysctl.key : field_name(change->field);
	if (!change->from)
		fprintf(out, "+ %s %s", name, change->to);
	else if (!change->to)
		fprintf(out, "- %s %s", name, change->from);
	else
		fprintf(out, "%s %s -> %s", name, change->from, change->to);
}

static void detail_changes(FILE *out, const struct step *step, bool verbose)
{
	const bool all = verbose || step->n_changes <= TEXT_SHOWN_MAX;
	const size_t shown = all ? step->n_changes : TEXT_SHOWN_MAX;
	for (size_t i = 0; i < shown; i++) {
		fputs(i ? ", " : "", out);
		detail_change(out, &step->changes[i]);
	}
	if (!all)
		fprintf(out, " and %zu more", step->n_changes - shown);
	if (step->action == ACTION_REPLACE)
		fputs(" (cannot change in place)", out);
}

static void detail_reason(FILE *out, const struct step *step)
{
	char code[CODE_TEXT_SIZE];
	fputs(step->reason, out);
	if (step->code)
		fprintf(out, " [%s]", code_format(step->code, code));
}

static void detail(FILE *out, const struct step *step, bool verbose)
{
	switch (step->action) {
	case ACTION_CREATE:
		detail_create(out, step->desired, verbose);
		break;
	case ACTION_CHANGE:
	case ACTION_REPLACE:
		detail_changes(out, step, verbose);
		break;
	case ACTION_DELETE:
		if (step->reason)
			detail_reason(out, step);
		break;
	case ACTION_KEPT:
	case ACTION_PENDING:
	case ACTION_BLOCKED:
	case ACTION_REFUSED:
		detail_reason(out, step);
		break;
	}
}

void text_detail(FILE *out, const struct step *step, bool verbose)
{
	char *text = NULL;
	size_t size = 0;
	FILE *stream = memory_or_die(open_memstream(&text, &size));
	detail(stream, step, verbose);
	fclose(stream);
	text_make_printable(memory_or_die(text));
	fputs(text, out);
	free(text);
}

static bool done_by_apply(enum action action)
{
	return actions[action].done != NULL;
}

#define HEAD_COLUMNS 12
#define HEAD_BLANKS  "            "

/* "+ link      web/lan  " or "  pending   web/lan  ": what stands before the details. */
static const char *step_head(struct arena *arena, const struct step *step, const char *id,
			     size_t width)
{
	const char *sign = actions[step->action].sign;
	const char *noun = done_by_apply(step->action) ? step_noun(step) : "";
	int used = (int)(strlen(sign) + (*noun ? 1 : 0) + strlen(noun));
	int blanks = used < HEAD_COLUMNS ? HEAD_COLUMNS - used : 1;
	const char *head =
		arena_printf(arena, "%s%s%s%*s", sign, *noun ? " " : "", noun, blanks, "");
	return step->action == ACTION_DELETE && !step->reason
		       ? arena_printf(arena, "%s%s", head, id)
		       : arena_printf(arena, "%s%s  ", head, text_pad(arena, id, width));
}

static void step_line(const struct text *text, const struct step *step, const char *id,
		      size_t width)
{
	__attribute__((cleanup(arena_cleanup))) struct arena *arena = arena_new();
	const char *sign = actions[step->action].sign;
	const char *color = text->color ? actions[step->action].color : "";
	const char *line = step_head(arena, step, id, width);
	if (step->reason)
		line = wrap(arena, line, HEAD_COLUMNS + 2, coded(arena, step->reason, step->code));
	fprintf(text->out, "%s%s%s%s", color, sign, *color ? SGR_RESET : "", line + strlen(sign));
	if (!step->reason)
		text_detail(text->out, step, text->verbose);
	fputc('\n', text->out);
	if (step->hint)
		fprintf(text->out, "%s\n",
			wrap(arena, HEAD_BLANKS "hint: ", HEAD_COLUMNS + 2, step->hint));
}

void text_plan(const struct text *text, const struct plan *plan, unsigned shown)
{
	__attribute__((cleanup(arena_cleanup))) struct arena *arena = arena_new();
	size_t width = 0;
	for (size_t i = 0; i < plan->n_steps; i++) {
		const size_t columns =
			text_columns(step_id(arena, &plan->steps[i], text->with_set));
		if (columns > width && columns <= ID_WIDTH_MAX)
			width = columns;
	}
	for (size_t i = 0; i < plan->n_steps; i++)
		if (shown & 1U << plan->steps[i].action)
			step_line(text, &plan->steps[i],
				  step_id(arena, &plan->steps[i], text->with_set), width);
}

void text_plan_summary(const struct text *text, const struct plan *plan, const struct live *live)
{
	const char *before = "Plan: ";
	for (size_t action = 0; action < N_ACTIONS; action++) {
		size_t count = plan_count(plan, (enum action)action);
		if (!count)
			continue;
		fprintf(text->out, "%s%zu %s", before, count, actions[action].counted);
		before = ", ";
	}
	const char *nothing = live->n_unreadable ? "Nothing to do where it could be looked at.\n"
						 : "Nothing to do.\n";
	fputs(plan->n_steps ? ".\n" : nothing, text->out);
}

static void outcome_failed(const struct text *text, const struct step *step,
			   const struct error *error)
{
	__attribute__((cleanup(arena_cleanup))) struct arena *arena = arena_new();
	struct error reported = *error;
	error_prepend(&reported, "%s %s", step_noun(step), step_id(arena, step, text->with_set));
	text_error(&reported);
}

static void outcome_noted(const struct text *text, const struct step *step, const char *note)
{
	__attribute__((cleanup(arena_cleanup))) struct arena *arena = arena_new();
	text_note(arena_printf(arena, "%s %s: %s", step_noun(step),
			       step_id(arena, step, text->with_set), note));
}

void text_failures(const struct text *text, const struct plan *plan, const struct outcome *outcomes)
{
	for (size_t i = 0; i < plan->n_steps; i++)
		if (outcomes[i].state == OUTCOME_FAILED)
			outcome_failed(text, &plan->steps[i], outcomes[i].error);
	for (size_t i = 0; i < plan->n_steps; i++)
		if (outcomes[i].note)
			outcome_noted(text, &plan->steps[i], outcomes[i].note);
}

/* How many steps of the action came to `state`. */
static size_t count_outcomes(const struct plan *plan, const struct outcome *outcomes,
			     enum action action, int state)
{
	size_t count = 0;
	for (size_t i = 0; i < plan->n_steps; i++)
		count += plan->steps[i].action == action && (int)outcomes[i].state == state;
	return count;
}

void text_done(const struct text *text, const struct plan *plan, const struct outcome *outcomes)
{
	const char *before = "Done: ";
	size_t failed = 0, deferred = 0;
	for (size_t i = 0; i < N_ACTIONS; i++) {
		enum action action = (enum action)i;
		bool done = done_by_apply(action);
		size_t count = done ? count_outcomes(plan, outcomes, action, OUTCOME_DONE)
				    : plan_count(plan, action);
		failed += count_outcomes(plan, outcomes, action, OUTCOME_FAILED);
		deferred += count_outcomes(plan, outcomes, action, OUTCOME_DEFERRED);
		if (!count)
			continue;
		fprintf(text->out, "%s%zu %s", before, count,
			done ? actions[action].done : actions[action].counted);
		before = ", ";
	}
	if (failed)
		fprintf(text->out, "%s%zu failed", before, failed);
	if (deferred)
		fprintf(text->out, "%s%zu left as %s", failed ? ", " : before, deferred,
			deferred == 1 ? "it was" : "they were");
	fputs(".\n", text->out);
}
