#include "reconcile/plan/fingerprint.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

struct printer {
	const struct desired *desired;
	const struct live *live;
	const struct plan *plan;
	struct arena *arena;
	struct fingerprint print;
};

/* Names can contain bytes that are not UTF-8, and a line is printed on terminals and in JSON. */
static void line_add(struct printer *printer, char *line)
{
	for (char *byte = line; *byte; byte++)
		if (*byte < ' ' || *byte > '~')
			*byte = '?';
	*array_push(printer->arena, printer->print.lines, printer->print.n_lines) = line;
}

static void namespace_line(struct printer *printer, const struct live_ns *ns)
{
	line_add(printer,
		 arena_printf(printer->arena, "namespace %s: inode %ju:%ju, cookie %" PRIu64,
			      ns->name, (uintmax_t)ns->device, (uintmax_t)ns->inode, ns->cookie));
}

/* The links above the host's link, such as a VLAN's parent, are part of its identity. For other
 * kinds IFLA_LINK may be a peer: the two ends of a veth pair refer to each other. */
static void link_line(struct printer *printer, const struct live_ns *ns,
		      const struct live_link *link)
{
	char mac[MAC_TEXT_SIZE] = "no MAC";
	if (link->mac.set)
		mac_format(&link->mac, mac);
	const char *tag = link->tag.role == ROLE_NONE ? "" : link->alias;
	line_add(printer,
		 arena_printf(printer->arena,
			      "link %s in %s: ifindex %d, %s, %s, mtu %" PRIu32 "%s%s%s",
			      link->name, ns->name, link->ifindex,
			      *link->kind_name ? link->kind_name : "device", mac, link->mtu,
			      *tag ? ", " : "", tag,
			      live_parent_away(link) ? ", parent in another namespace" : ""));
	const struct live_ns *host = printer->live->namespaces[0];
	const struct live_link *parent =
		link->kind != KIND_OTHER ? live_link_parent(host, link) : NULL;
	if (parent && parent != link)
		link_line(printer, host, parent);
}

static bool managed_by_desired(const struct printer *printer, const struct owner_tag *tag)
{
	for (size_t i = 0; i < printer->desired->n_sets; i++)
		if (owner_tag_has_set(tag, printer->desired->sets[i].name))
			return true;
	return false;
}

static void managed_lines(struct printer *printer, const struct live_ns *ns)
{
	bool any = false;
	for (size_t i = 0; i < ns->n_links; i++) {
		const struct live_link *link = &ns->links[i];
		if (link->tag.role == ROLE_NONE || !managed_by_desired(printer, &link->tag) ||
		    (!ns->host && link->parent_where != PARENT_HOST))
			continue;
		link_line(printer, ns, link);
		any = true;
	}
	if (any)
		namespace_line(printer, ns);
}

/* A step's namespace is the host's, a container's, or one with managed links. */
static void step_lines(struct printer *printer, const struct step *step)
{
	const struct live_ns *host = printer->live->namespaces[0];
	if (step->ns && step->current)
		link_line(printer, step->ns, step->current);
	if (!step->desired || step->action == ACTION_PENDING)
		return;
	const struct live_link *parent = live_link_by_index(host, step->desired->parent);
	if (parent)
		link_line(printer, host, parent);
}

static int line_compare(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void lines_finish(struct fingerprint *print)
{
	size_t kept = 0;
	qsort(print->lines, print->n_lines, sizeof(*print->lines), line_compare);
	for (size_t i = 0; i < print->n_lines; i++)
		if (!kept || strcmp(print->lines[kept - 1], print->lines[i]) != 0)
			print->lines[kept++] = print->lines[i];
	print->n_lines = kept;
}

struct fingerprint fingerprint_make(const struct desired *desired, const struct live *live,
				    const struct plan *plan, const char *boot, struct arena *arena)
{
	struct printer printer = {.desired = desired, .live = live, .plan = plan, .arena = arena};
	line_add(&printer, arena_printf(arena, "boot %s", boot));
	namespace_line(&printer, live->namespaces[0]);
	for (size_t i = 0; i < live->n_containers; i++)
		if (live->container_lookups[i].ns)
			namespace_line(&printer, live->container_lookups[i].ns);
	for (size_t i = 0; i < live->n_namespaces; i++)
		managed_lines(&printer, live->namespaces[i]);
	for (size_t i = 0; i < plan->n_steps; i++)
		step_lines(&printer, &plan->steps[i]);
	lines_finish(&printer.print);
	return printer.print;
}
