#include "reconcile/plan/source_tables.h"

static bool has_table(const struct planned_attachment *planned)
{
	return planned_leases(planned) ||
	       (planned->container && planned->container->policy_routing &&
		!planned->network->internal);
}

/* The table of the live link; 0: none. */
static uint32_t live_table(const struct planned_attachment *planned)
{
	if (!planned->current)
		return 0;
	each_route_of (route, planned->ns, planned->current->ifindex)
		if (live_route_is_source(route))
			return route->table;
	return 0;
}

static bool table_taken(const struct netns_group *group, const uint32_t *tables, uint32_t table)
{
	for (size_t i = 0; i < group->count; i++)
		if (tables[group->planned_all[i]->number] == table)
			return true;
	return false;
}

static void group_choose(const struct netns_group *group, uint32_t *tables)
{
	for (size_t i = 0; i < group->count; i++) {
		const struct planned_attachment *planned = group->planned_all[i];
		const uint32_t table = has_table(planned) ? live_table(planned) : 0;
		if (table && !table_taken(group, tables, table))
			tables[planned->number] = table;
	}
	for (size_t i = 0; i < group->count; i++) {
		const struct planned_attachment *planned = group->planned_all[i];
		uint32_t table = SOURCE_TABLE_FIRST;
		if (!has_table(planned) || tables[planned->number])
			continue;
		while (table < SOURCE_TABLE_LAST && table_taken(group, tables, table))
			table++;
		tables[planned->number] = table;
	}
}

const uint32_t *source_tables_choose(const struct matched *matched)
{
	const struct attachments *attachments = matched->attachments;
	uint32_t *tables =
		arena_alloc(matched->input->scratch, (attachments->count + 1) * sizeof(*tables));
	for (size_t i = 0; i < attachments->groups.count; i++)
		group_choose(&attachments->groups.all[i], tables);
	return tables;
}
