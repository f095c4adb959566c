/* Creating links: all there or not there. */
#include "reconcile/apply/create_internal.h"

#include "kernel/netns.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <stdio.h>

/* So many links may announce themselves to all others that are made with them: two thousand
 * deliveries take less than the packet socket's close. */
#define ANNOUNCE_INSIDE_MAX 64

bool making_failed(const struct making *making)
{
	return making->outcome->state == OUTCOME_FAILED;
}

struct doing making_doing(const struct making *making, enum deed deed)
{
	return doing_of(deed, making->spec->ns, making->spec);
}

void group_broke(struct group *group, enum deed deed, const struct error *error)
{
	for (size_t i = 0; i < group->n_makings; i++) {
		struct making *making = &group->makings[i];
		const struct doing doing = making_doing(making, deed);
		outcome_broke(making->outcome, &doing, error);
	}
}

/* The thread is in the namespace. Before the link is up, so that they hold from the beginning, but
 * for those that would not last. */
static void sysctls_do(struct making *making, bool up)
{
	for (size_t i = 0; i < making->spec->n_sysctls && !making_failed(making); i++) {
		const struct link_sysctl *sysctl = &making->spec->sysctls[i];
		struct error error;
		if (sysctl_fades(sysctl) != up ||
		    sysctl_put(sysctl, making->spec->name, &error) == 0)
			continue;
		struct doing doing = making_doing(making, DEED_SYSCTL);
		snprintf(doing.detail, sizeof(doing.detail), "%s", sysctl->key);
		outcome_broke(making->outcome, &doing, &error);
	}
}

void queue_details(struct batch *batch, const struct link_spec *spec, int ifindex, uint16_t flags)
{
	union message message;
	for (size_t i = 0; i < spec->n_addrs; i++)
		queue(batch,
		      encode_addr_add(&message, ifindex, &spec->addrs[i],
				      link_spec_addr_terms(spec, &spec->addrs[i]), flags),
		      &message, false);
	for (size_t i = 0; i < spec->n_routes; i++)
		queue(batch,
		      encode_route_add(&message, ifindex, &spec->routes[i],
				       spec->routes[i].replaces ? NLM_F_REPLACE : flags),
		      &message, false);
}

struct doing detail_doing(const struct link_spec *spec, size_t number)
{
	const bool addr = number < spec->n_addrs;
	struct doing doing = doing_of(addr ? DEED_ADDRESS : DEED_ROUTE, spec->ns, spec);
	if (addr)
		doing_prefix(&doing, &spec->addrs[number]);
	else
		doing_route(&doing, &spec->routes[number - spec->n_addrs]);
	return doing;
}

static size_t details_count(const struct making *making)
{
	return 1 + making->spec->n_addrs + making->spec->n_routes;
}

static void details_check(struct making *making, const struct batch *batch)
{
	for (size_t i = 0; i < details_count(making) && !making_failed(making); i++) {
		const struct reply *reply = batch_reply(batch, making->first + i);
		if (!reply->errnum)
			continue;
		const struct doing doing =
			i ? detail_doing(making->spec, i - 1) : making_doing(making, DEED_UP);
		outcome_refused(making->outcome, &doing, reply);
	}
}

/* Up, addresses, routes: of all links of the group together. What the kernel refuses is not waited
 * for, as the lock is held: EADDRINUSE may be a link of a namespace that died and is being taken
 * apart (cleanup_net), which is for the caller to try again (outcome_busy). */
static void details_do(struct group *group)
{
	union message message;
	struct error error;
	struct batch *batch __attribute__((cleanup(batch_cleanup))) = batch_new();
	for (size_t i = 0; i < group->n_makings; i++) {
		struct making *making = &group->makings[i];
		if (making_failed(making))
			continue;
		making->first = batch_count(batch);
		queue(batch, encode_link_up(&message, making->ifindex, !making->spec->down),
		      &message, false);
		queue_details(batch, making->spec, making->ifindex, NLM_F_EXCL);
	}
	if (batch_send(group->netlink, batch, &error) < 0)
		group_broke(group, DEED_UP, &error);
	for (size_t i = 0; i < group->n_makings; i++)
		if (!making_failed(&group->makings[i]))
			details_check(&group->makings[i], batch);
}

static bool making_announces(const struct making *making, bool outside)
{
	return !making_failed(making) && link_announces(making->spec) && making->outside == outside;
}

/* The thread is in the namespace. What failed is taken back, and the LAN hears nothing of it. */
static void group_announce(struct group *group)
{
	struct error error;
	struct batch *batch __attribute__((cleanup(batch_cleanup))) = batch_new();
	for (size_t i = 0; i < group->n_makings; i++)
		if (making_announces(&group->makings[i], false))
			queue_announcements(batch, group->makings[i].spec,
					    group->makings[i].ifindex);
	if (batch_count(batch))
		(void)batch_send(group->netlink, batch, &error);
	for (size_t i = 0; i < group->n_makings; i++)
		if (making_announces(&group->makings[i], false))
			announce_rest(group->makings[i].ifindex, group->makings[i].spec);
}

/* The first links on a parent are announced by the parent, where they are many: on the wire that is
 * the same. Each by itself would tell all those made before it, which have nothing to forget, and a
 * thousand links are half a million deliveries. */
static void group_announce_outside(struct group *group)
{
	for (size_t i = 0; i < group->n_makings; i++)
		if (making_announces(&group->makings[i], true))
			announce_outside(group->applier, group->makings[i].parent,
					 group->makings[i].spec);
}

/* Everything that comes after the link is there. */
static void group_finish(struct group *group)
{
	struct error error;
	if (netns_enter(group->ns->handle->fd, &error) < 0) {
		group_broke(group, DEED_SYSCTL, &error);
		return;
	}
	for (size_t i = 0; i < group->n_makings; i++)
		sysctls_do(&group->makings[i], false);
	details_do(group);
	for (size_t i = 0; i < group->n_makings; i++)
		sysctls_do(&group->makings[i], true);
	group_announce(group);
	netns_return(group->applier->host->handle->fd);
	group_announce_outside(group);
}

static void group_take_back(struct group *group)
{
	for (size_t i = 0; i < group->n_makings; i++)
		if (making_failed(&group->makings[i]) && group->makings[i].there)
			link_take_back(group->netlink, group->makings[i].ifindex);
}

static void group_make(struct group *group)
{
	struct error error;
	group->netlink = ns_socket(group->applier, group->ns, &error);
	if (!group->netlink) {
		group_broke(group, DEED_CREATE, &error);
		return;
	}
	births_do(group);
	group_finish(group);
	group_take_back(group);
}

void creates_do(struct applier *applier, size_t from, size_t end)
{
	struct group group = {.applier = applier, .ns = applier->plan->steps[from].want->ns};
	struct arena *arena __attribute__((cleanup(arena_cleanup))) = arena_new();
	for (size_t i = from; i < end; i++) {
		/* A replaced link that could not be deleted stays as it is. */
		if (applier->outcomes[i].state == OUTCOME_FAILED)
			continue;
		*array_push(arena, group.makings, group.n_makings) = (struct making){
			.spec = applier->plan->steps[i].want,
			.outcome = &applier->outcomes[i],
			.ifindex = ifindex_choose(applier, applier->plan->steps[i].want),
			.outside = !applier->plan->steps[i].want->siblings &&
				   applier->n_creates > ANNOUNCE_INSIDE_MAX};
	}
	if (group.n_makings)
		group_make(&group);
}

int create_one(struct applier *applier, const struct link_spec *spec, int ifindex,
	       struct outcome *outcome)
{
	struct making making = {.spec = spec, .outcome = outcome, .ifindex = ifindex};
	struct group group = {
		.applier = applier, .ns = spec->ns, .makings = &making, .n_makings = 1};
	group_make(&group);
	return making_failed(&making) ? 0 : making.ifindex;
}
