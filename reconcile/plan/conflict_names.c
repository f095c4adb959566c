/* Conflicts of the names and altnames of attachments. */
#include "reconcile/plan/conflict.h"

#include "kernel/link_kind.h"

#include <string.h>

static const char *made_by(const struct plan_input *input, const struct live_link *link)
{
	if (link->tag.role == ROLE_NONE)
		return "mvapply did not create";
	return link->tag.set ? arena_printf(input->arena, "belongs to set \"%s\"", link->tag.set)
			     : "belongs to another set";
}

const char *conflict_name_of(const struct conflict_finder *finder,
			     const struct planned_attachment *planned)
{
	return finder->assigned->names->assigned[planned->number].name;
}

bool conflict_is_engine_link(const struct planned_attachment *planned, const struct live_ns *ns,
			     const struct live_link *link)
{
	return planned->container && ns == planned->ns && link->tag.role == ROLE_NONE &&
	       (planned->container->source_kind == SOURCE_DOCKER ||
		planned->container->source_kind == SOURCE_PODMAN) &&
	       link->kind == link_kind_of_driver(planned->network->driver) &&
	       planned->parent->link && live_link_on(link, planned->parent->link->ifindex);
}

/* The attachment of the run whose live link it is, or NULL. */
static const struct planned_attachment *planned_of(const struct conflict_finder *finder,
						   const struct live_link *link)
{
	const struct attachments *attachments = finder->assigned->attachments;
	for (size_t i = 0; i < attachments->count; i++)
		if (attachments->planned[i].current == link)
			return &attachments->planned[i];
	return NULL;
}

/* Whether another link of the run keeps the name as an altname, or until after this one needs it as
 * an altname: removals of altnames come first, renames of links do not. */
static bool name_stays(const struct conflict_finder *finder, const struct live_link *link,
		       const char *name, bool altname)
{
	const struct planned_attachment *other = planned_of(finder, link);
	if (!other)
		return false;
	if (strcmp(link->name, name) == 0)
		return altname;
	return !other->attachment || !other->attachment->has_altnames;
}

/* A link is not renamed to its own altname: the kernel has the name already. */
static bool keeps_own_altname(const struct planned_attachment *planned, const char *name,
			      bool altname)
{
	const struct attachment *attachment = planned->attachment;
	return !altname && strcmp(planned->current->name, name) != 0 &&
	       !(attachment && attachment->has_altnames);
}

static struct check_result name_stays_denied(const struct plan_input *input,
					     const struct live_ns *ns, const struct live_link *link,
					     const char *name)
{
	const bool is_altname = strcmp(link->name, name) != 0;
	return conflict_denied(
		ns, CODE_INTERFACE_IN_USE,
		arena_printf(input->arena,
			     is_altname ? "%s in %s has the altname %s"
					: "%s in %s is still called %s",
			     link->name, ns->name, name),
		is_altname ? arena_printf(input->arena,
					  "write `altnames: []` on the attachment of %s, or use "
					  "another name here",
					  link->name)
			   : "apply again once it has another name, or use another name here");
}

static struct check_result own_altname_denied(const struct plan_input *input,
					      const struct planned_attachment *planned,
					      const char *name)
{
	return conflict_denied(
		planned->ns, CODE_INTERFACE_IN_USE,
		arena_printf(input->arena, "%s in %s has the altname %s itself",
			     planned->current->name, planned->ns->name, name),
		arena_printf(input->arena,
			     "write `altnames: []`, which removes the altname %s, or use another "
			     "interface_name",
			     name));
}

static struct check_result check_one_name(const struct conflict_finder *finder,
					  const struct planned_attachment *planned,
					  const char *name, bool altname)
{
	const struct matched *matched = finder->assigned->matched;
	const struct plan_input *input = matched->input;
	const struct live_link *link = live_link_by_name(planned->ns, name);
	if (link_kept(matched, link))
		return conflict_with_holder(input, planned->ns, link, "name");
	if (link && link == planned->current && keeps_own_altname(planned, name, altname))
		return own_altname_denied(input, planned, name);
	if (!link || link == planned->current)
		return CHECK_FINE;
	if (!link_unmanaged(matched, link) && name_stays(finder, link, name, altname))
		return name_stays_denied(input, planned->ns, link, name);
	if (!link_unmanaged(matched, link))
		return CHECK_FINE;
	return conflict_denied(
		planned->ns, CODE_LINK_UNMANAGED,
		arena_printf(input->arena, "%s has a link %s (%s) that %s", planned->ns->name, name,
			     *link->kind_name ? link->kind_name : "device", made_by(input, link)),
		conflict_is_engine_link(planned, planned->ns, link) ? HINT_ENGINE_LINK
		: altname ? "use another altname, or rename that link"
			  : "set another interface_name, or remove that link; --adopt takes over a "
			    "macvlan or ipvlan on the same parent");
}

struct check_result check_name(const struct conflict_finder *finder,
			       const struct planned_attachment *planned)
{
	const struct attachment *attachment = planned->attachment;
	struct check_result result =
		check_one_name(finder, planned, conflict_name_of(finder, planned), false);
	for (size_t i = 0; attachment && i < attachment->n_altnames; i++)
		if (result.action == ACTION_CREATE)
			result = check_one_name(finder, planned, attachment->altnames[i], true);
	return result;
}
