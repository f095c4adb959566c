/* The host's links that networks with `manage_parent` name. The marks on a link (altnames) say
 * which sets need it, with which MTU, and what it was before: the kernel is the only state. */
#include "kernel/parent_mark.h"
#include "reconcile/plan/parents.h"

#include <string.h>

/* A set that needs the link. */
struct request {
	const struct live_link *link;
	const char *set;
	uint32_t mtu; /* 0: any */
};

struct finder {
	const struct plan_input *input;
	struct request *requests;
	size_t n_requests;
	struct requested_link *found;
	size_t n_found;
};

static uint32_t larger(uint32_t one, uint32_t other)
{
	return one > other ? one : other;
}

/* One entry for each link and set. */
static void request_add(struct finder *finder, const struct live_link *link, const char *set,
			uint32_t mtu)
{
	for (size_t i = 0; i < finder->n_requests; i++) {
		struct request *request = &finder->requests[i];
		if (request->link != link || strcmp(request->set, set) != 0)
			continue;
		request->mtu = larger(request->mtu, mtu);
		return;
	}
	*array_push(finder->input->scratch, finder->requests, finder->n_requests) =
		(struct request){.link = link, .set = set, .mtu = mtu};
}

/* No set needs more than the driver supports. */
static struct parent_mark mark_read(const struct live_link *link, const char *altname)
{
	struct parent_mark mark = parent_mark_parse(altname);
	if (link->max_mtu && mark.mtu > link->max_mtu)
		mark.mtu = link->max_mtu;
	return mark;
}

static struct parent_mark mark_of_set(const struct live_link *link, const char *set)
{
	for (size_t i = 0; i < link->n_altnames; i++) {
		const struct parent_mark mark = mark_read(link, link->altnames[i]);
		if (mark.kind == PARENT_MARK_FOR && strcmp(mark.set, set) == 0)
			return mark;
	}
	return (struct parent_mark){.kind = PARENT_MARK_NONE};
}

/* A network that is blocked, perhaps for a time, keeps what it has requested. The network's checks
 * report an MTU that the driver does not support. */
static void link_request(struct finder *finder, const struct resolved_network *resolved,
			 const struct live_link *link, uint32_t mtu)
{
	const struct parent_mark mark = mark_of_set(link, resolved->set->name);
	const bool possible = resolved->check_result.action == ACTION_CREATE &&
			      (!link->max_mtu || mtu <= link->max_mtu);
	if (possible)
		request_add(finder, link, resolved->set->name, mtu);
	else if (mark.kind != PARENT_MARK_NONE)
		request_add(finder, link, resolved->set->name, mark.mtu < mtu ? mark.mtu : mtu);
}

static void network_request(struct finder *finder, const struct resolved_network *resolved)
{
	const struct parent *parent = resolved->parent;
	const struct network *network = resolved->network;
	uint32_t mtu = network->mtu;
	if (!network->manage_parent || !parent->base)
		return;
	if (network_has_family(network, AF_INET6))
		mtu = larger(mtu, IPV6_MTU_MIN);
	if (parent->base->tag.role == ROLE_NONE)
		link_request(finder, resolved, parent->base, mtu);
	if (parent->link && parent->link != parent->base && !parent->make)
		link_request(finder, resolved, parent->link, mtu);
}

/* The marks of a link. */
struct marks {
	const char *was_text; /* NULL: there is none of the former state */
	struct parent_mark was;
	uint32_t mtu; /* the highest that the sets need */
	bool of_run;  /* one of a set of this run */
	bool of_others;
};

static void altname_keep(struct finder *finder, struct requested_link *requested,
			 const char *altname)
{
	*array_push(finder->input->arena, requested->altnames, requested->n_altnames) = altname;
}

/* Keeps other programs' altnames, and the marks of sets that are not part of this run. */
static struct marks marks_read(struct finder *finder, struct requested_link *requested)
{
	const struct live_link *link = requested->link;
	struct marks marks = {0};
	for (size_t i = 0; i < link->n_altnames; i++) {
		const struct parent_mark mark = mark_read(link, link->altnames[i]);
		const bool other =
			mark.kind == PARENT_MARK_FOR && !desired_set(finder->input, mark.set);
		marks.of_others |= other;
		marks.of_run |= mark.kind == PARENT_MARK_FOR && !other;
		if (mark.kind == PARENT_MARK_WAS && !marks.was_text) {
			marks.was = mark;
			marks.was_text = link->altnames[i];
		} else if (mark.kind == PARENT_MARK_FOR) {
			marks.mtu = larger(marks.mtu, mark.mtu);
		}
		if (other) {
			requested->needed = true;
			requested->mtu = larger(requested->mtu, mark.mtu);
		}
		if (other || mark.kind == PARENT_MARK_NONE)
			altname_keep(finder, requested, link->altnames[i]);
	}
	return marks;
}

/* false: no set of this run needs the link. */
static bool requests_read(const struct finder *finder, struct requested_link *requested)
{
	bool any = false;
	for (size_t i = 0; i < finder->n_requests; i++) {
		if (finder->requests[i].link != requested->link)
			continue;
		any = true;
		requested->mtu = larger(requested->mtu, finder->requests[i].mtu);
	}
	requested->needed |= any;
	return any;
}

static void for_put(struct finder *finder, struct requested_link *requested, const char *set,
		    uint32_t mtu)
{
	const struct parent_mark mark = {.kind = PARENT_MARK_FOR, .mtu = mtu, .set = set};
	altname_keep(finder, requested,
		     parent_mark_format(finder->input->arena, requested->link->ifindex, &mark));
}

/* `held`: the MTU that is kept for other programs' links, or 0. It is noted, so that it is undone
 * without them. */
static void requests_put(struct finder *finder, struct requested_link *requested, uint32_t held)
{
	bool any = false;
	for (size_t i = 0; i < finder->n_requests; i++) {
		const struct request *request = &finder->requests[i];
		if (request->link != requested->link)
			continue;
		any = true;
		for_put(finder, requested, request->set, larger(request->mtu, held));
	}
	for (size_t i = 0; held && !any && i < requested->link->n_altnames; i++) {
		const struct parent_mark mark =
			mark_read(requested->link, requested->link->altnames[i]);
		if (mark.kind == PARENT_MARK_FOR && desired_set(finder->input, mark.set))
			for_put(finder, requested, mark.set, held);
	}
}

static void was_put(struct finder *finder, struct requested_link *requested,
		    const struct marks *marks)
{
	const struct live_link *link = requested->link;
	const struct parent_mark was = {
		.kind = PARENT_MARK_WAS, .up = link->flags & IFF_UP, .mtu = link->mtu};
	altname_keep(finder, requested,
		     marks->was_text
			     ? marks->was_text
			     : parent_mark_format(finder->input->arena, link->ifindex, &was));
}

/* An MTU that another program has set since is only raised, never lowered. */
static void state_finish(struct requested_link *requested, const struct marks *marks)
{
	const struct live_link *link = requested->link;
	const bool raised =
		marks->was_text && marks->mtu > marks->was.mtu && link->mtu == marks->mtu;
	requested->mtu = larger(requested->mtu, raised ? marks->was.mtu : link->mtu);
	requested->up =
		requested->needed || (link->flags & IFF_UP && !(marks->was_text && !marks->was.up));
}

static const struct requested_link *request_of(const struct finder *finder,
					       const struct live_link *link)
{
	for (size_t i = 0; i < finder->n_found; i++)
		if (finder->found[i].link == link)
			return &finder->found[i];
	return NULL;
}

static bool is_of_run(const struct finder *finder, const struct live_link *link)
{
	const struct owner_tag *tag = &link->tag;
	for (size_t i = 0; i < tag->n_sets; i++)
		if (!desired_set(finder->input, tag->sets[i]))
			return false;
	return tag->n_sets || (tag->set && desired_set(finder->input, tag->set));
}

/* The MTU that a link on the parent needs and the run does not change, or 0. */
static uint32_t mtu_needed(const struct finder *finder, const struct live_link *link,
			   const struct live_link *parent)
{
	const struct requested_link *request = request_of(finder, link);
	if (!live_link_on(link, parent->ifindex) || live_link_is_pair(link) ||
	    is_of_run(finder, link))
		return 0;
	return request ? request->mtu : link->mtu;
}

/* The kernel would lower the MTU of the links on it, too. */
static uint32_t mtu_hold(const struct finder *finder, struct requested_link *requested)
{
	const struct live *live = finder->input->live;
	uint32_t held = 0;
	if (!requested->needed || requested->mtu >= requested->link->mtu)
		return 0;
	for (size_t i = 0; i < live->n_namespaces; i++)
		for (size_t k = 0; k < live->namespaces[i]->n_links; k++)
			held = larger(held, mtu_needed(finder, &live->namespaces[i]->links[k],
						       requested->link));
	if (held <= requested->mtu)
		return 0;
	requested->mtu = held < requested->link->mtu ? held : requested->link->mtu;
	return requested->mtu;
}

/* A link that only sets of other runs need is theirs; a former state that no set needs is undone.
 */
static void link_find(struct finder *finder, const struct live_link *link)
{
	struct requested_link requested = {.link = link, .check_result = CHECK_FINE};
	const struct marks marks = marks_read(finder, &requested);
	if (!requests_read(finder, &requested) && !marks.of_run &&
	    (marks.of_others || !marks.was_text))
		return;
	state_finish(&requested, &marks);
	requests_put(finder, &requested, mtu_hold(finder, &requested));
	if (requested.needed)
		was_put(finder, &requested, &marks);
	*array_push(finder->input->scratch, finder->found, finder->n_found) = requested;
}

static void refuse(struct requested_link *requested, enum code code, const char *reason,
		   const char *hint)
{
	const struct live_link *link = requested->link;
	requested->check_result = check_blocked(code, reason, hint);
	requested->up = link->flags & IFF_UP;
	requested->mtu = link->mtu;
	requested->altnames = link->altnames;
	requested->n_altnames = link->n_altnames;
}

/* vlan_dev_open, vlan_dev_change_mtu: the link that another program's VLAN link is on decides. It
 * is not named, so it is left alone. */
static void below_check(const struct finder *finder, struct requested_link *requested)
{
	struct arena *arena = finder->input->arena;
	const struct live_link *link = requested->link;
	const struct live_link *below = live_vlan_base(finder->input->live->namespaces[0], link);
	if (!below || !requested->needed)
		return;
	const struct requested_link *request = request_of(finder, below);
	const uint32_t mtu = request ? request->mtu : below->mtu;
	const char *hint = arena_printf(arena, "write `parent: %s` and `vlan: %u`, or change %s",
					below->name, link->vlan, below->name);
	if (!(request ? request->up : below->flags & IFF_UP))
		refuse(requested, CODE_PARENT_DOWN,
		       arena_printf(arena, "%s, which parent %s is on, is down", below->name,
				    link->name),
		       hint);
	else if (requested->mtu > link->mtu && requested->mtu > mtu)
		refuse(requested, CODE_PARENT_MTU,
		       arena_printf(arena,
				    "mtu %u is larger than the mtu %u of %s, which parent %s is on",
				    requested->mtu, mtu, below->name, link->name),
		       hint);
}

struct requested_link *requested_links_find(const struct plan_input *input,
					    const struct resolved_network *networks,
					    size_t n_networks, size_t *ret_count)
{
	struct finder finder = {.input = input};
	const struct live_ns *host = input->live->namespaces[0];
	for (size_t i = 0; i < n_networks; i++)
		network_request(&finder, &networks[i]);
	/* A link comes after the one that it is on, and may need its MTU. */
	for (size_t i = host->n_links; i-- > 0;)
		if (host->links[i].tag.role == ROLE_NONE)
			link_find(&finder, &host->links[i]);
	for (size_t i = finder.n_found; i-- > 0;)
		below_check(&finder, &finder.found[i]);
	*ret_count = finder.n_found;
	return finder.found;
}
