#include "cmd/ansi.h"
#include "cmd/output_json.h"
#include "cmd/output_text.h"
#include "cmd/status/status.h"
#include "cmd/terminal.h"
#include "lib/display_width.h"
#include "lib/printable.h"

#include <string.h>

enum column { COLUMN_OBJECT, COLUMN_STATE, COLUMN_LINK, COLUMN_ADDRESSES, COLUMN_MAC, N_COLUMNS };

struct row {
	const char *cells[N_COLUMNS];
	const char *rest; /* after the columns */
};

struct table {
	struct arena *arena;
	struct row *rows;
	size_t count;
};

static const struct row titles = {.cells = {"OBJECT", "STATE", "LINK", "ADDRESSES", "MAC"},
				  .rest = "DETAILS"};

static const char *color_of(const char *state)
{
	static const struct {
		const char *state, *color;
	} colors[] = {
		{"live", SGR_GREEN},     {"drifted", SGR_YELLOW}, {"undeclared", SGR_YELLOW},
		{"pending", SGR_YELLOW}, {"blocked", SGR_RED},    {"refused", SGR_RED},
	};
	for (size_t i = 0; i < sizeof(colors) / sizeof(colors[0]); i++)
		if (strcmp(colors[i].state, state) == 0)
			return colors[i].color;
	return "";
}

static const char *object_name(struct arena *arena, const struct owner_tag *tag,
			       const char *container)
{
	const char *set = strcmp(tag->set, "default") == 0 ? "" : tag->set;
	return arena_printf(arena, "%s%s%s/%s", set, *set ? ":" : "",
			    container ? container : "the host",
			    container ? owner_tag_attachment(tag) : tag->network);
}

/* "", " (lease)", " (lease: 120 s left)" or, by a router advertisement, " (RA)". */
static const char *lease_text(struct arena *arena, const struct status_model_link *link,
			      const struct live_addr *addr, bool times)
{
	if (addr != link->lease)
		return live_addr_autoconf(addr) ? " (RA)" : "";
	return times ? arena_printf(arena, " (lease: %u s left)", addr->valid) : " (lease)";
}

static const char *addresses(struct arena *arena, const struct status_model_link *link, bool times)
{
	const char *text = "";
	char prefix[PREFIX_TEXT_SIZE];
	for (size_t i = 0; i < link->n_addrs; i++)
		text = arena_printf(arena, "%s%s%s%s", text, i ? " " : "",
				    prefix_format(&link->addrs[i]->prefix, prefix),
				    lease_text(arena, link, link->addrs[i], times));
	return text;
}

static struct row *row_add(struct table *table)
{
	struct row *row = array_push(table->arena, table->rows, table->count);
	for (size_t i = 0; i < N_COLUMNS; i++)
		row->cells[i] = "";
	row->rest = "";
	return row;
}

/* "on eth0, default via 192.168.1.1, in pid 12" */
static const char *link_details(struct arena *arena, const struct status_model_link *link)
{
	char gateway[IP_TEXT_SIZE];
	const char *text = arena_printf(arena, "on %s", link->parent ? link->parent : "?");
	if (link->guest)
		text = arena_printf(arena, "%s, attached by %s", text, link->guest);
	for (size_t i = 0; i < 2; i++)
		if (link->gateways[i].family)
			text = arena_printf(arena, "%s, default via %s", text,
					    ip_format(&link->gateways[i], gateway));
	return link->place ? arena_printf(arena, "%s, in %s", text, link->place) : text;
}

static void link_add(struct table *table, const struct status_model_link *link, bool times)
{
	char mac[MAC_TEXT_SIZE];
	struct row *row = row_add(table);
	row->cells[COLUMN_OBJECT] = object_name(table->arena, &link->link->tag, link->container);
	row->cells[COLUMN_STATE] = status_state(link);
	row->cells[COLUMN_LINK] = link->link->name;
	row->cells[COLUMN_ADDRESSES] = addresses(table->arena, link, times);
	row->cells[COLUMN_MAC] = arena_strdup(table->arena, mac_format(&link->link->mac, mac));
	row->rest = link_details(table->arena, link);
}

static void parent_add(struct table *table, const struct status_model_parent *parent)
{
	struct row *row = row_add(table);
	row->cells[COLUMN_OBJECT] = parent->link->name;
	row->cells[COLUMN_STATE] = "live";
	row->rest = parent->link->kind == KIND_VLAN
			    ? arena_printf(table->arena, "vlan %u on %s", parent->link->vlan,
					   parent->base ? parent->base : "?")
			    : "dummy";
}

static void missing_add(struct table *table, const struct step *step)
{
	struct row *row = row_add(table);
	row->cells[COLUMN_OBJECT] =
		step->tag->role == ROLE_NONE
			? step->tag->network
			: object_name(table->arena, step->tag, step->tag->container);
	row->cells[COLUMN_STATE] =
		step->action == ACTION_CREATE ? "missing" : action_name(step->action);
	row->rest = !step->reason ? ""
		    : step->hint
			    ? arena_printf(table->arena, "%s; hint: %s", step->reason, step->hint)
			    : step->reason;
}

static void widths_take(struct arena *arena, const struct row *row, size_t widths[N_COLUMNS])
{
	for (size_t i = 0; i < N_COLUMNS; i++) {
		const size_t columns = text_columns(printable(arena, row->cells[i]));
		if (columns > widths[i])
			widths[i] = columns;
	}
}

/* How many bytes of the line are written: blanks at its end are not. */
static size_t line_length(const char *line, size_t width)
{
	size_t length = strlen(line);
	while (length && line[length - 1] == ' ')
		length--;
	const size_t fits = text_fit(line, width);
	return length < fits ? length : fits;
}

/* The cells, each as wide as its column. */
static const char *cells_text(struct arena *arena, const struct row *row,
			      const size_t widths[N_COLUMNS], enum column end)
{
	const char *text = "";
	for (enum column i = 0; i < end; i++)
		text = arena_printf(arena, "%s%s  ", text,
				    text_pad(arena, printable(arena, row->cells[i]), widths[i]));
	return text;
}

/* A row as one line or, wrapped, as several: the others begin below the details. */
static const char *row_text(struct arena *arena, FILE *out, const struct row *row,
			    const size_t widths[N_COLUMNS], unsigned width)
{
	const char *cells = cells_text(arena, row, widths, N_COLUMNS);
	const char *line = arena_printf(arena, "%s%s", cells, printable(arena, row->rest));
	line = arena_strndup(arena, line, line_length(line, width ? width : SIZE_MAX));
	return width ? line : terminal_wrap(arena, out, "", (unsigned)text_columns(cells), line);
}

/* The line is cut before it is coloured, so that no colour is cut in two. */
static void put_row(FILE *out, const struct row *row, const size_t widths[N_COLUMNS], bool color,
		    unsigned width)
{
	__attribute__((cleanup(arena_cleanup))) struct arena *arena = arena_new();
	const char *line = row_text(arena, out, row, widths, width);
	const char *state = row->cells[COLUMN_STATE];
	const size_t from = strlen(cells_text(arena, row, widths, COLUMN_STATE));
	const size_t to = from + strlen(state);
	if (!color || !*color_of(state) || to > strcspn(line, "\n")) {
		fprintf(out, "%s\n", line);
		return;
	}
	fprintf(out, "%.*s%s%s" SGR_RESET "%s\n", (int)from, line, color_of(state), state,
		line + to);
}

void status_table(FILE *out, const struct status_model *model, const struct plan *plan,
		  const struct status_style *style)
{
	__attribute__((cleanup(arena_cleanup))) struct arena *arena = arena_new();
	struct table table = {.arena = arena};
	size_t widths[N_COLUMNS] = {0};
	for (size_t i = 0; i < model->n_parents; i++)
		parent_add(&table, &model->parents[i]);
	for (size_t i = 0; i < model->n_links; i++)
		link_add(&table, &model->links[i], style->times);
	for (size_t i = 0; i < plan->n_steps; i++)
		if (status_not_live(&plan->steps[i]))
			missing_add(&table, &plan->steps[i]);
	widths_take(arena, &titles, widths);
	for (size_t i = 0; i < table.count; i++)
		widths_take(arena, &table.rows[i], widths);
	put_row(out, &titles, widths, false, style->width);
	for (size_t i = 0; i < table.count; i++)
		put_row(out, &table.rows[i], widths, style->color, style->width);
}
