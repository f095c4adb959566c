#include "cmd/output_text.h"

#include "cmd/ansi.h"
#include "cmd/terminal.h"
#include "lib/display_width.h"
#include "lib/journal.h"
#include "lib/memory.h"
#include "lib/printable.h"
#include "schema/words.h"

#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Limit of the first column's width. */
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
	const size_t columns = terminal_wrap_columns(STDERR_FILENO);
	for (size_t i = 0; i < diags->count; i++)
		journal_stderr(LEVEL_ERROR, diag_format(diags->arena, &diags->items[i], columns));
	if (diags->omitted)
		journal_stderr(LEVEL_ERROR,
			       arena_printf(diags->arena, "mvapply: and %zu more errors\n",
					    diags->omitted));
}

/* Writes a line to stderr, wrapped if it is too long. */
static void report(enum log_level level, const char *first, const char *text)
{
	__attribute__((cleanup(arena_cleanup))) struct arena *arena = arena_new();
	fflush(stdout); /* where both are one file, in the order in which it came */
	journal_stderr(level,
		       arena_printf(arena, "%s\n", terminal_wrap(arena, stderr, first, 4, text)));
}

void text_error(const struct error *error)
{
	__attribute__((cleanup(arena_cleanup))) struct arena *arena = arena_new();
	report(LEVEL_ERROR, "mvapply: error: ", coded(arena, error->text, error->code));
	if (*error->hint)
		report(LEVEL_ERROR, "  hint: ", error->hint);
}

void text_note(const char *note)
{
	report(LEVEL_NOTICE, "mvapply: note: ", note);
}

void text_warning(const char *warning)
{
	report(LEVEL_WARNING, "mvapply: warning: ", warning);
}

void text_warnings(const struct plan *plan, const struct live *live)
{
	__attribute__((cleanup(arena_cleanup))) struct arena *arena = arena_new();
	const char **texts = warnings_text(plan->warnings, plan->n_warnings, arena);
	for (size_t i = 0; i < plan->n_warnings; i++)
		text_warning(texts[i]);
	text_unreadable(live);
}

void text_unreadable(const struct live *live)
{
	for (size_t i = 0; i < live->n_unreadable; i++)
		report(LEVEL_WARNING, "mvapply: warning: cannot read: ", live->unreadable[i].text);
}

static const char *const nouns[] = {
	[ROLE_NONE] = "network",  [ROLE_ATTACH] = "attach", [ROLE_GUEST] = "guest",
	[ROLE_HOST] = "host",     [ROLE_DUMMY] = "link",    [ROLE_VLAN] = "link",
	[ROLE_PARENT] = "parent",
};

const char *text_sign(enum action action)
{
	return actions[action].sign;
}

const char *step_noun(const struct step *step)
{
	return step->stray ? "stray" : nouns[step->tag->role];
}

static const char *id_of(struct arena *arena, const struct step *step, bool with_set)
{
	const struct owner_tag *tag = step->tag;
	const char *set = with_set && tag->set ? tag->set : "";
	const char *colon = *set ? ":" : "";
	switch (tag->role) {
	case ROLE_ATTACH:
	case ROLE_GUEST:
		return arena_printf(arena, "%s%s%s/%s", set, colon, tag->container,
				    owner_tag_attachment(tag));
	case ROLE_HOST:
	case ROLE_NONE:
		return arena_printf(arena, "%s%s%s", set, colon, tag->network);
	case ROLE_DUMMY:
	case ROLE_VLAN:
	case ROLE_PARENT:
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
	char text[ROUTE_TEXT_SIZE];
	fprintf(out, " %s", link_route_format(route, text));
}

static void detail_attachment(FILE *out, const struct link_spec *desired, bool verbose)
{
	char address[PREFIX_TEXT_SIZE], mac[MAC_TEXT_SIZE];
	fputs(desired->name, out);
	fputs(desired->dhcp.enabled ? " dhcp" : "", out);
	fputs(desired->accept_ra ? " accept_ra" : "", out);
	for (size_t i = 0; i < desired->n_addrs; i++) {
		const uint32_t metric = link_spec_addr_terms(desired, &desired->addrs[i]).metric;
		fprintf(out, " %s", prefix_format(&desired->addrs[i], address));
		if (verbose && metric)
			fprintf(out, " metric %u", metric);
	}
	if (desired->mac.set)
		fprintf(out, " %s", mac_format(&desired->mac, mac));
	for (size_t i = 0; i < desired->n_routes; i++)
		if (verbose ||
		    (desired->routes[i].to.len == 0 && !table_is_source(desired->routes[i].table)))
			detail_route(out, &desired->routes[i]);
	for (size_t i = 0; verbose && i < desired->policy.n_routes; i++)
		if (desired->policy.routes[i].options.type)
			detail_route(out, &desired->policy.routes[i]);
	if (!verbose)
		return;
	fprintf(out, " %s on %s", link_mode_name(desired->mode), desired->parent_name);
	if (desired->vrf_name)
		fprintf(out, " in %s", desired->vrf_name);
	if (desired->mtu)
		fprintf(out, " mtu %u", desired->mtu);
	if (desired->has_txqueuelen)
		fprintf(out, " txqueuelen %u", desired->txqueuelen);
	fputs(desired->promisc ? " promisc" : "", out);
	fputs(desired->allmulticast ? " allmulticast" : "", out);
	for (size_t i = 0; i < desired->n_altnames; i++)
		fprintf(out, " altname %s", desired->altnames[i]);
	for (size_t i = 0; i < desired->n_sysctls; i++)
		fprintf(out, " %s=%s", desired->sysctls[i].key, desired->sysctls[i].value);
}

static void detail_create(FILE *out, const struct link_spec *desired, bool verbose)
{
	switch (desired->tag.role) {
	case ROLE_VLAN:
		fprintf(out, "vlan %u on %s", desired->vlan, desired->parent_name);
		if (desired->vlan_protocol != VLAN_8021Q)
			fprintf(out, " %s", vlan_protocol_name(desired->vlan_protocol));
		break;
	case ROLE_DUMMY:
		fprintf(out, "dummy for network %s", desired->tag.network);
		break;
	case ROLE_ATTACH:
	case ROLE_GUEST:
	case ROLE_HOST:
	case ROLE_NONE:
	case ROLE_PARENT:
		detail_attachment(out, desired, verbose);
		break;
	}
}

void text_live_link(FILE *out, const struct live_ns *ns, const struct live_link *link, bool verbose)
{
	char address[PREFIX_TEXT_SIZE];
	size_t count = 0;
	fputs(link->name, out);
	each_addr_of (addr, ns, link->ifindex) {
		if (addr->scope >= RT_SCOPE_LINK)
			continue;
		if (verbose || count < TEXT_SHOWN_MAX)
			fprintf(out, " %s", prefix_format(&addr->prefix, address));
		count++;
	}
	if (!verbose && count > TEXT_SHOWN_MAX)
		fprintf(out, " and %zu more", count - TEXT_SHOWN_MAX);
}

/* The ID of a VLAN link or a dummy is its name. */
static void detail_delete(FILE *out, const struct step *step, bool verbose)
{
	const struct live_link *link = step->current;
	const struct live_link *parent =
		live_parent_away(link) ? NULL : live_link_by_index(step->ns, link->parent);
	switch (step->tag->role) {
	case ROLE_VLAN:
		fprintf(out, "vlan %u%s%s", link->vlan, parent ? " on " : "",
			parent ? parent->name : "");
		break;
	case ROLE_DUMMY:
		fprintf(out, "dummy for network %s", step->tag->network);
		break;
	case ROLE_ATTACH:
	case ROLE_GUEST:
	case ROLE_HOST:
	case ROLE_NONE:
	case ROLE_PARENT:
		text_live_link(out, step->ns, link, verbose);
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
		fprintf(out, " (%s)", step->faster ? STEP_FASTER : "cannot change in place");
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
		else
			detail_delete(out, step, verbose);
		break;
	case ACTION_KEPT:
	case ACTION_PENDING:
	case ACTION_BLOCKED:
	case ACTION_REFUSED:
		detail_reason(out, step);
		break;
	}
}

const char *text_detail(struct arena *arena, const struct step *step, bool verbose)
{
	char *text = NULL;
	size_t size = 0;
	FILE *stream = memory_or_die(open_memstream(&text, &size));
	detail(stream, step, verbose);
	fclose(stream);
	text_make_printable(memory_or_die(text));
	const char *copy = arena_strdup(arena, text);
	free(text);
	return copy;
}

static bool done_by_apply(enum action action)
{
	return actions[action].done != NULL;
}

#define HEAD_COLUMNS 12
#define HEAD_BLANKS  "            "

/* The start of a line of the plan. */
struct head {
	const char *sign, *color;
	const char *noun;
};

/* `outcome` NULL: the plan is not applied. */
static struct head head_of(const struct step *step, const struct outcome *outcome)
{
	if (outcome && outcome->state == OUTCOME_FAILED)
		return (struct head){"! failed", SGR_RED, ""};
	if (outcome && done_by_apply(step->action) && outcome->state != OUTCOME_DONE)
		return (struct head){"  skipped", "", ""};
	return (struct head){actions[step->action].sign, actions[step->action].color,
			     done_by_apply(step->action) ? step_noun(step) : ""};
}

/* "+ link      web/lan  " or "  pending   web/lan  ". */
static const char *head_text(struct arena *arena, const struct head *head, const char *id,
			     size_t width)
{
	const char *blank = *head->noun ? " " : "";
	const char *begin = arena_printf(arena, "%s%s%s", head->sign, blank, head->noun);
	const size_t columns = text_columns(begin) + 1;
	return arena_printf(arena, "%s%s  ",
			    text_pad(arena, begin, columns < HEAD_COLUMNS ? HEAD_COLUMNS : columns),
			    text_pad(arena, id, width));
}

/* The text after the ID; a failed step has the code of its error. */
static const char *line_detail(struct arena *arena, const struct text *text,
			       const struct step *step, const struct outcome *outcome)
{
	const enum code failed = outcome && outcome->error ? outcome->error->code : CODE_NONE;
	if (step->reason)
		return coded(arena, step->reason, failed ? failed : step->code);
	const char *detail = text_detail(arena, step, text->verbose);
	return failed ? coded(arena, detail, failed) : detail;
}

static void step_line(const struct text *text, const struct step *step,
		      const struct outcome *outcome, const char *id, size_t width)
{
	__attribute__((cleanup(arena_cleanup))) struct arena *arena = arena_new();
	const struct head head = head_of(step, outcome);
	const char *color = text->color ? head.color : "";
	const char *first = head_text(arena, &head, id, width);
	const char *detail = line_detail(arena, text, step, outcome);
	const char *line = terminal_wrap(arena, text->out, first, HEAD_COLUMNS + 2, detail);
	fprintf(text->out, "%s%s%s%s\n", color, head.sign, *color ? SGR_RESET : "",
		line + strlen(head.sign));
	if (step->hint)
		fprintf(text->out, "%s\n",
			terminal_wrap(arena, text->out, HEAD_BLANKS "hint: ", HEAD_COLUMNS + 2,
				      step->hint));
}

void text_plan(const struct text *text, const struct plan *plan, const struct outcome *outcomes,
	       unsigned shown)
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
			step_line(text, &plan->steps[i], outcomes ? &outcomes[i] : NULL,
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
	const char *nothing = live->n_unreadable
				      ? "Nothing to do in what could be read of the host.\n"
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

/* "2 created, 1 deleted"; NULL: nothing was done. */
static const char *count_done(struct arena *arena, const struct plan *plan,
			      const struct outcome *outcomes)
{
	const char *text = NULL;
	for (size_t action = 0; action < N_ACTIONS; action++) {
		size_t count = 0;
		for (size_t i = 0; i < plan->n_steps; i++)
			count += plan->steps[i].action == action &&
				 outcomes[i].state == OUTCOME_DONE;
		if (count && actions[action].done)
			text = arena_printf(arena, "%s%s%zu %s", text ? text : "", text ? ", " : "",
					    count, actions[action].done);
	}
	return text;
}

static size_t count_failed(const struct plan *plan, const struct outcome *outcomes)
{
	size_t count = 0;
	for (size_t i = 0; i < plan->n_steps; i++)
		count += outcomes[i].state == OUTCOME_FAILED;
	return count;
}

static size_t count_skipped(const struct plan *plan, const struct outcome *outcomes)
{
	size_t count = 0;
	for (size_t i = 0; i < plan->n_steps; i++)
		count += done_by_apply(plan->steps[i].action) &&
			 outcomes[i].state != OUTCOME_FAILED && outcomes[i].state != OUTCOME_DONE;
	return count;
}

void text_done(const struct text *text, const struct plan *plan, const struct outcome *outcomes)
{
	__attribute__((cleanup(arena_cleanup))) struct arena *arena = arena_new();
	const struct {
		const char *title;
		size_t count;
	} rest[] = {
		{"Failed", count_failed(plan, outcomes)},
		{"Blocked", plan_count(plan, ACTION_BLOCKED)},
		{"Skipped", count_skipped(plan, outcomes)},
		{"Pending", plan_count(plan, ACTION_PENDING)},
		{"Kept", plan_count(plan, ACTION_KEPT)},
	};
	const char *done = count_done(arena, plan, outcomes);
	const char *line = done ? arena_printf(arena, "Done: %s. ", done) : "";
	for (size_t i = 0; i < sizeof(rest) / sizeof(rest[0]); i++)
		if (rest[i].count)
			line = arena_printf(arena, "%s%s: %zu. ", line, rest[i].title,
					    rest[i].count);
	fprintf(text->out, "%.*s\n", (int)strlen(line) - 1, line);
}
