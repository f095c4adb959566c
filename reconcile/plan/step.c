#include "reconcile/plan/step.h"

#include "lib/hash.h"

#include <stdio.h>
#include <string.h>

struct link_route link_route_of(const struct live_route *live)
{
	return (struct link_route){.table = live->table,
				   .to = live->to,
				   .via = live->via,
				   .source = live->source,
				   .protocol = live->proto,
				   .metric = live->metric};
}

struct addr_terms link_spec_addr_terms(const struct link_spec *spec, const struct prefix *addr)
{
	for (size_t i = 0; spec->addr_terms && i < spec->n_addrs; i++)
		if (prefix_equal(&spec->addrs[i], addr))
			return spec->addr_terms[i];
	return (struct addr_terms){.protocol = OWNER_TAG_PROTOCOL};
}

const char *step_temporary_name(const struct step *step, char name[IFNAMSIZ])
{
	snprintf(name, IFNAMSIZ, TEMPORARY_PREFIX "%08x", (unsigned)step->current->ifindex);
	return name;
}

struct mac step_temporary_mac(const struct step *step)
{
	uint64_t hash = hash_text(HASH_START, step->desired->alias);
	struct mac mac = {.bytes = {0x0a}, .set = true};
	memcpy(mac.bytes + 1, &hash, sizeof(mac.bytes) - 1);
	return mac;
}

bool step_is_parent(const struct step *step)
{
	return step->tag.role == ROLE_VLAN || step->tag.role == ROLE_DUMMY;
}

bool step_creates_parent(const struct step *step)
{
	return step->action == ACTION_CREATE && step_is_parent(step);
}

const char *step_new_parent(const struct step *step)
{
	return step->desired && !step->desired->parent ? step->desired->parent_name : NULL;
}

bool step_acts(const struct step *step)
{
	switch (step->action) {
	case ACTION_CREATE:
	case ACTION_CHANGE:
	case ACTION_REPLACE:
	case ACTION_DELETE:
		return true;
	case ACTION_KEPT:
	case ACTION_PENDING:
	case ACTION_BLOCKED:
	case ACTION_REFUSED:
		break;
	}
	return false;
}

bool step_deletes(const struct step *step)
{
	return step->action == ACTION_DELETE || step->action == ACTION_REPLACE;
}

size_t plan_count(const struct plan *plan, enum action action)
{
	size_t count = 0;
	for (size_t i = 0; i < plan->n_steps; i++)
		count += plan->steps[i].action == action;
	return count;
}

bool plan_empty(const struct plan *plan)
{
	for (size_t i = 0; i < plan->n_steps; i++)
		if (step_acts(&plan->steps[i]))
			return false;
	return true;
}
