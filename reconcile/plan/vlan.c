/* VLAN links, which sets share: the owner tag lists the sets that use one, and the last set deletes
 * it. */
#include "reconcile/plan/parents.h"
#include "schema/words.h"

#include <stdlib.h>
#include <string.h>

static int name_compare(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void set_add(const struct plan_input *input, struct owner_tag *tag, const char *set)
{
	if (!owner_tag_has_set(tag, set))
		*array_push(input->arena, tag->sets, tag->n_sets) = set;
}

void vlan_other_sets_add(const struct plan_input *input, struct owner_tag *tag,
			 const struct live_link *link)
{
	for (size_t i = 0; link && i < link->tag.n_sets; i++)
		if (!desired_set(input, link->tag.sets[i]))
			set_add(input, tag, link->tag.sets[i]);
}

void vlan_sets_sort(struct owner_tag *tag)
{
	if (tag->n_sets)
		qsort(tag->sets, tag->n_sets, sizeof(*tag->sets), name_compare);
}

static void alias_make(const struct plan_input *input, struct parent *parent)
{
	parent->make->alias = owner_tag_format(input->arena, &parent->make->tag);
	if (parent->make->alias)
		return;
	parent->check_result = (struct check_result){
		.action = ACTION_BLOCKED,
		.code = CODE_OWNER_TAG_FULL,
		.reason = arena_printf(
			input->arena,
			"the owner tag of %s has no room for the names of all %u sets that use it",
			parent->name, parent->make->tag.n_sets),
		.hint = "declare the networks on this VLAN in fewer sets, or give the sets "
			"shorter names",
	};
}

/* The networks and parents of the run. */
struct vlans {
	const struct plan_input *input;
	struct parent *parents;
	size_t count;
	const struct resolved_network *networks;
	size_t n_networks;
};

/* Another parent of the run whose link has, or is to have, the name: a VLAN link's name does not
 * say its protocol. Of two that are not there yet, the earlier one. */
static const struct parent *name_holder(const struct vlans *vlans, const struct parent *parent)
{
	for (size_t i = 0; i < vlans->count; i++) {
		const struct parent *other = &vlans->parents[i];
		if (other != parent && other->vlan && strcmp(other->name, parent->name) == 0 &&
		    other->check_result.action == ACTION_CREATE &&
		    (other->link || other->number < parent->number))
			return other;
	}
	return NULL;
}

static const char *network_of(const struct vlans *vlans, const struct parent *parent)
{
	for (size_t i = 0; i < vlans->n_networks; i++)
		if (vlans->networks[i].parent == parent)
			return vlans->networks[i].network->name;
	return "";
}

static void name_refuse(const struct vlans *vlans, struct parent *parent, const char *user,
			enum vlan_protocol protocol)
{
	struct arena *arena = vlans->input->arena;
	parent->check_result = (struct check_result){
		.action = ACTION_REFUSED,
		.code = CODE_VLAN_UNMANAGED,
		.reason = arena_printf(arena, "%s is VLAN %u (%s) of %s", parent->name,
				       parent->vlan, vlan_protocol_name(protocol), user),
		.hint = arena_printf(
			arena,
			"use one vlan_protocol for all networks of VLAN %u, or create the second "
			"link under another name, and mvapply uses it: `ip link add link %s name "
			"OTHER type vlan id %u protocol %s`",
			parent->vlan, parent->base_name, parent->vlan,
			vlan_protocol_name(parent->vlan_protocol)),
	};
}

/* Refuses a link whose name a VLAN link keeps: that of another network, or one of other sets. */
static void name_check_vlans(const struct vlans *vlans, struct parent *parent)
{
	const struct plan_input *input = vlans->input;
	const struct parent *holder = name_holder(vlans, parent);
	const struct live_link *link = live_link_by_name(input->live->namespaces[0], parent->name);
	struct owner_tag others = {.role = ROLE_VLAN};
	if (holder) {
		name_refuse(vlans, parent,
			    arena_printf(input->arena, "network %s", network_of(vlans, holder)),
			    holder->vlan_protocol);
		return;
	}
	vlan_other_sets_add(input, &others, link);
	if (others.n_sets)
		name_refuse(vlans, parent, arena_printf(input->arena, "set %s", others.sets[0]),
			    link->vlan_protocol);
}

/* A link that has the name of the new VLAN link, and that is not it. It stays unchanged: the VLAN
 * link may have any other name. */
static void name_check(const struct vlans *vlans, struct parent *parent)
{
	const struct plan_input *input = vlans->input;
	const struct live_link *link = live_link_by_name(input->live->namespaces[0], parent->name);
	if (parent->link)
		return;
	if (!link || (link->tag.role == ROLE_VLAN && link->kind == KIND_VLAN)) {
		name_check_vlans(vlans, parent);
		return;
	}
	const char *base = parent->make->parent_name;
	parent->check_result = (struct check_result){
		.action = ACTION_REFUSED,
		.code = CODE_VLAN_UNMANAGED,
		.reason =
			link->kind == KIND_VLAN
				? arena_printf(input->arena, "%s exists, but with VLAN id %u (%s)",
					       link->name, link->vlan,
					       vlan_protocol_name(link->vlan_protocol))
				: arena_printf(input->arena, "%s exists, but is not VLAN %u of %s",
					       link->name, parent->vlan, base),
		.hint = arena_printf(
			input->arena,
			"to use %s itself, write `parent: %s` and no `vlan`; for VLAN %u, create a "
			"link of another name, and mvapply uses it: `ip link add link %s name "
			"vlan%u type vlan%s%s id %u`",
			link->name, link->name, parent->vlan, base, parent->vlan,
			parent->vlan_protocol == VLAN_8021Q ? "" : " protocol ",
			parent->vlan_protocol == VLAN_8021Q
				? ""
				: vlan_protocol_name(parent->vlan_protocol),
			parent->vlan),
	};
}

void vlans_tag(const struct plan_input *input, struct parent *parents, size_t count,
	       const struct resolved_network *networks, size_t n_networks)
{
	const struct vlans vlans = {input, parents, count, networks, n_networks};
	for (size_t i = 0; i < count; i++) {
		struct parent *parent = &parents[i];
		if (!parent->make || parent->make->tag.role != ROLE_VLAN)
			continue;
		struct owner_tag *tag = &parent->make->tag;
		vlan_other_sets_add(input, tag, parent->link);
		for (size_t k = 0; k < n_networks; k++)
			if (networks[k].parent == parent)
				set_add(input, tag, networks[k].set->name);
		vlan_sets_sort(tag);
		alias_make(input, parent);
		name_check(&vlans, parent);
	}
}
