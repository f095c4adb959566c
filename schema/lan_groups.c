/* Groups networks that share a link: those with the same parent, unless they have no host in
 * common. */
#include "schema/hosts.h"
#include "schema/internal.h"
#include "schema/words.h"

static const char *vlan_title(struct build *build, const struct network *network,
			      const char *parent, unsigned vlan)
{
	bool usual = network->vlan_protocol == VLAN_8021Q;
	return hint_text(&build->context, "%s vlan %u%s%s", parent, vlan, usual ? "" : " of ",
			 usual ? "" : vlan_protocol_name(network->vlan_protocol));
}

/* For people, as the network names it. */
static const char *link_title(struct build *build, const struct network_info *info,
			      const struct network *network)
{
	if (!network->parent)
		return hint_text(&build->context, "networks.%s", info->name->text);
	return network->vlan ? vlan_title(build, network, network->parent, network->vlan)
			     : network->parent;
}

/* `parent: eth0.10` and `parent: eth0` with `vlan: 10` name one link, unless a host has another one
 * that is called eth0.10. */
static const char *link_key(struct build *build, const struct network *network)
{
	const struct short_form *short_form = &network->short_form;
	if (short_form->parent)
		return vlan_title(build, network, short_form->parent, short_form->vlan);
	return network->vlan ? vlan_title(build, network, network->parent, network->vlan)
			     : network->parent;
}

static void group_index(struct build *build, const struct network *network, const char *key,
			struct link_group *group)
{
	index_put_text(build->links, key, group);
	if (network->short_form.parent && !index_get_text(build->links, network->parent))
		index_put_text(build->links, network->parent, group);
}

void link_join(struct build *build, struct network_info *info, const struct network *network)
{
	const char *key = network->parent ? link_key(build, network) : NULL;
	struct link_group *group = key ? index_get_text(build->links, key) : NULL;
	if (!group) {
		group = arena_alloc(build->context.scratch, sizeof(*group));
		*group = (struct link_group){.title = link_title(build, info, network),
					     .end = &group->first};
		*build->groups_end = group;
		build->groups_end = &group->next;
		if (key)
			group_index(build, network, key, group);
	}
	info->lan = info;
	*group->end = info;
	group->end = &info->peer;
}

/* The representative of the network's LAN. */
static struct network_info *lan_of(struct network_info *info)
{
	while (info->lan != info)
		info = info->lan = info->lan->lan;
	return info;
}

static void unite(struct network_info *a, struct network_info *b)
{
	lan_of(b)->lan = lan_of(a);
}

/* Networks that name the same host, or the same glob. */
static void unite_alike(const struct link_group *group)
{
	__attribute__((cleanup(index_cleanup))) struct index *names = index_new(0);
	for (struct network_info *info = group->first; info; info = info->peer) {
		const struct hosts *hosts = &info->network->hosts;
		for (size_t i = 0; i < hosts->count; i++) {
			struct network_info *other = index_put_text(names, hosts->items[i], info);
			if (other)
				unite(other, info);
		}
	}
}

static void unite_globs(struct build *build, const struct link_group *group)
{
	for (struct network_info *info = group->first; info; info = info->peer) {
		const struct hosts *hosts = &info->network->hosts;
		if (!hosts_open(hosts))
			continue;
		for (struct network_info *other = group->first; other; other = other->peer) {
			if (!hosts_affordable(build, hosts, other->network->hosts.count))
				return;
			if (hosts_meet(hosts, &other->network->hosts))
				unite(other, info);
		}
	}
}

static struct network_info *find_everywhere(const struct link_group *group)
{
	struct network_info *info = group->first;
	while (info && info->network->hosts.count)
		info = info->peer;
	return info;
}

static void group_finish(struct build *build, const struct link_group *group)
{
	struct network_info *everywhere = find_everywhere(group);
	for (struct network_info *info = group->first; everywhere && info; info = info->peer)
		unite(everywhere, info);
	if (!everywhere) {
		unite_alike(group);
		unite_globs(build, group);
	}
	for (struct network_info *info = group->first; info; info = info->peer) {
		struct network_info *lan = lan_of(info);
		if (!lan->link) {
			lan->link = arena_alloc(build->context.scratch, sizeof(*lan->link));
			lan->link->id = build->n_links++;
			lan->link->title = group->title;
		}
		info->link = lan->link;
	}
}

void links_finish(struct build *build)
{
	for (const struct link_group *group = build->groups; group; group = group->next)
		group_finish(build, group);
}
