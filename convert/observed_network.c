/* The properties of a network except subnets and routers: those of the host's own link, otherwise
 * of the majority of containers' links. */
#include "convert/observed_vote.h"

#include "kernel/link_kind.h"
#include "kernel/parent_mark.h"
#include "schema/driver.h"
#include "schema/words.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct live_ns *host_of(const struct observed_set *set)
{
	return set->live->namespaces[0];
}

/* Whether networks of the set need the link up, and with which MTU (0: any). */
static bool is_requested(const struct live_link *link, const char *set, uint32_t *ret_mtu)
{
	for (size_t i = 0; i < link->n_altnames; i++) {
		const struct parent_mark mark = parent_mark_parse(link->altnames[i]);
		if (mark.kind != PARENT_MARK_FOR || strcmp(mark.set, set) != 0)
			continue;
		*ret_mtu = mark.mtu;
		return true;
	}
	return false;
}

/* A VLAN link is named by its lower link, and its id. */
static void parent_describe(struct observed_set *set, struct observed_network *network)
{
	const struct live_link *link = network->parent;
	const struct live_link *base = link ? live_vlan_base(host_of(set), link) : NULL;
	struct network *model = &network->model;
	if (!link) {
		note_add(set->arena, &network->notes, "its parent no longer exists: set `parent`");
	} else if (link->tag.role == ROLE_DUMMY) {
		model->internal = true;
	} else if (base) {
		model->parent = base->name;
		model->vlan = link->vlan;
		model->vlan_protocol = link->vlan_protocol;
	} else {
		model->parent = link->name;
	}
	model->manage_parent = link && is_requested(base ? base : link, set->name, &network->mtu);
}

/* The default MTU of a network's links: the parent's. An adopted VLAN link gets the MTU of its
 * lower link, as every managed VLAN link. */
static uint32_t default_mtu(const struct observed_set *set, const struct live_link *parent)
{
	const struct live_link *base = set->adopting ? live_vlan_base(host_of(set), parent) : NULL;
	return base ? base->mtu : parent->mtu;
}

/* The links that report properties of a network. */
struct link_sources {
	const struct live_link *mode, *bcqueuelen, *mtu;
};

static void network_describe(struct observed_set *set, struct observed_network *network,
			     const struct live_link *parent, const struct link_sources *sources)
{
	struct network *model = &network->model;
	const struct live_link *link = sources->mode;
	network->described = true;
	observed_network_on(set, network, parent);
	parent_describe(set, network);
	if (!link)
		return;
	model->driver = link_type(link->kind)->driver;
	model->mode = driver_info(model->driver)->default_mode;
	if (link->mode_known)
		model->mode = link->mode;
	else
		note_add(set->arena, &network->notes,
			 "%s is in a mode that mvapply does not support", link->name);
	link = sources->bcqueuelen;
	if (link && link->has_bcqueuelen && link->bcqueuelen != BCQUEUELEN_DEFAULT) {
		model->has_bcqueuelen = true;
		model->bcqueuelen = link->bcqueuelen;
	}
	if (link && link->bclim != BCLIM_DEFAULT) {
		model->has_bclim = true;
		model->bclim = link->bclim;
	}
	model->ipvlan_flag = sources->mode->ipvlan_flag;
	/* A larger MTU than the set's networks need is what another set gave the parent. */
	if (parent &&
	    (sources->mtu->mtu != default_mtu(set, parent) || sources->mtu->mtu <= network->mtu))
		model->mtu = sources->mtu->mtu;
}

static uint32_t mtu_of(const struct observed_set *set, const struct observed_network *network,
		       const struct live_link *link)
{
	return network->model.mtu ? network->model.mtu
	       : network->parent  ? default_mtu(set, network->parent)
				  : link->mtu;
}

/* Links of one network with different properties have drifted, or belong to different networks. */
static void likeness_check(struct observed_set *set, const struct observed_network *network,
			   const struct live_link *link, struct notes *notes)
{
	const struct network *model = &network->model;
	const uint32_t bcqueuelen = model->has_bcqueuelen ? model->bcqueuelen : BCQUEUELEN_DEFAULT;
	if (link->mtu != mtu_of(set, network, link))
		note_add(set->arena, notes, "its mtu is %u, unlike the network's", link->mtu);
	if (link->mode_known && link->mode != model->mode)
		note_add(set->arena, notes, "its mode is %s, unlike the network's",
			 link_mode_name(link->mode));
	if (link->has_bcqueuelen && link->bcqueuelen != bcqueuelen)
		note_add(set->arena, notes, "its bcqueuelen is %u, unlike the network's",
			 link->bcqueuelen);
	if (network->parent && link->parent != network->parent->ifindex)
		note_add(set->arena, notes, "its parent differs from the network's");
}

static const char *parent_answer(const struct ballot *ballot, const struct voter *voter,
				 const void *data, char text[VOTE_TEXT_SIZE])
{
	(void)data;
	const int ifindex = voter->attachment->link->parent;
	const struct live_link *parent = live_link_by_index(host_of(ballot->set), ifindex);
	snprintf(text, VOTE_TEXT_SIZE, "%s", parent ? parent->name : "gone");
	return text;
}

static const char *mode_answer(const struct ballot *ballot, const struct voter *voter,
			       const void *data, char text[VOTE_TEXT_SIZE])
{
	(void)ballot;
	(void)data;
	const struct live_link *link = voter->attachment->link;
	snprintf(text, VOTE_TEXT_SIZE, "%s %s", link->kind_name,
		 link->mode_known ? link_mode_name(link->mode) : "in another mode");
	return text;
}

static const char *bcqueuelen_answer(const struct ballot *ballot, const struct voter *voter,
				     const void *data, char text[VOTE_TEXT_SIZE])
{
	(void)ballot;
	(void)data;
	const struct live_link *link = voter->attachment->link;
	if (!link->has_bcqueuelen)
		return NULL;
	snprintf(text, VOTE_TEXT_SIZE, "%" PRIu32, link->bcqueuelen);
	return text;
}

static const char *mtu_answer(const struct ballot *ballot, const struct voter *voter,
			      const void *data, char text[VOTE_TEXT_SIZE])
{
	(void)ballot;
	(void)data;
	snprintf(text, VOTE_TEXT_SIZE, "%" PRIu32, voter->attachment->link->mtu);
	return text;
}

/* The default properties of a network. */
static bool mtu_of_parent(const struct ballot *ballot, const char *answer, const void *data)
{
	const struct live_link *parent = data;
	return parent && strtoul(answer, NULL, 10) == default_mtu(ballot->set, parent);
}

/* The link of the network that has the majority's properties; NULL: there is none. */
static const struct live_link *link_of_most(const struct ballot *ballot,
					    const struct question *question)
{
	char text[VOTE_TEXT_SIZE], other[VOTE_TEXT_SIZE];
	const struct poll poll = ballot_poll(ballot, question);
	const struct voter *winner = poll.winner;
	if (!winner)
		return NULL;
	(void)question->answer(ballot, winner, question->data, text);
	if (poll.tied)
		ballot_dissent(ballot,
			       "its containers disagree on its %s: %s has %s, and %s has %s: "
			       "write the right one",
			       question->what, winner->container->model.name, text,
			       poll.tied->container->model.name,
			       question->answer(ballot, poll.tied, question->data, other));
	else if (poll.n_others)
		ballot_warn(ballot,
			    "most of its links have the %s %s, but %zu of %zu do not: %s has %s",
			    question->what, text, poll.n_others, ballot->n_voters,
			    poll.other->container->model.name,
			    question->answer(ballot, poll.other, question->data, other));
	return winner->attachment->link;
}

static void network_finish(const struct ballot *ballot)
{
	struct observed_set *set = ballot->set;
	const struct live_link *like = link_of_most(
		ballot, &(const struct question){.what = "parent", .answer = parent_answer});
	const struct live_link *parent =
		like ? live_link_by_index(host_of(set), like->parent) : NULL;
	const struct link_sources sources = {
		.mode = link_of_most(
			ballot, &(const struct question){.what = "mode", .answer = mode_answer}),
		.bcqueuelen =
			link_of_most(ballot, &(const struct question){.what = "bcqueuelen",
								      .answer = bcqueuelen_answer}),
		.mtu = link_of_most(ballot, &(const struct question){.what = "mtu",
								     .answer = mtu_answer,
								     .of_host = mtu_of_parent,
								     .data = parent})};
	network_describe(set, ballot->network, parent, &sources);
}

void observed_resolve(struct observed_set *set)
{
	const struct ballot *ballots = ballots_make(set);
	for (size_t i = 0; i < set->n_networks; i++)
		if (!ballots[i].network->described)
			network_finish(&ballots[i]);
	for (size_t i = 0; i < set->n_networks; i++) {
		const struct ballot *ballot = &ballots[i];
		for (size_t k = 0; !ballot->network->finished && k < ballot->n_voters; k++)
			likeness_check(set, ballot->network, ballot->voters[k].attachment->link,
				       &ballot->voters[k].attachment->notes);
	}
	observed_addresses(set, ballots);
	for (size_t i = 0; i < set->n_networks; i++)
		set->networks[i].finished = true;
}

void observed_host_take(struct observed_set *set, struct observed_network *network,
			const struct live_link *link)
{
	const struct link_sources sources = {link, link, link};
	if (!network->described)
		network_describe(set, network, live_link_by_index(host_of(set), link->parent),
				 &sources);
	struct host_access *host = &network->model.host;
	const struct live_ns *ns = host_of(set);
	host->enabled = true;
	host->interface_name = link->name;
	if (link->tag.role == ROLE_NONE && !link_kind_shares_mac(link->kind))
		note_add(set->arena, &network->notes,
			 "%s gets a MAC address that is derived from its own IP address",
			 link->name);
	likeness_check(set, network, link, &network->notes);
	each_addr_of (addr, ns, link->ifindex) {
		const struct prefix *address = &addr->prefix;
		struct ip *own = address->ip.family == AF_INET ? &host->ipv4 : &host->ipv6;
		if (!observed_addr_counts(link, addr) ||
		    (own->family && !observed_addr_tagged(set, link, addr)))
			continue;
		*own = address->ip;
		observed_address_holder(set, network->parent, own);
		if (address->len < ip_bits(&address->ip))
			(void)observed_subnet_make(set, network, address);
	}
}

void observed_parent_take(struct observed_set *set, struct observed_network *network,
			  const struct live_link *link)
{
	if (!network->described)
		network_describe(set, network, link, &(const struct link_sources){0});
}
