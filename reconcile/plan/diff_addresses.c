/* The difference between the addresses of a live link and those of its specification. */
#include "reconcile/plan/diff.h"

#include <linux/if_addr.h>

/* If the kernel has no IFA_PROTO, all addresses of a link of an attachment count as managed; those
 * of a VLAN link, for example, are the host's own, and those of an attachment without an address in
 * the file are the container's. An adopted link becomes such a link. */
static bool addr_managed(const struct plan_input *input, const struct step *step,
			 const struct live_addr *addr)
{
	const enum role live = step->current->tag.role,
			role = live == ROLE_NONE ? step->desired->tag.role : live;
	return !ip_is_link_local(&addr->prefix.ip) && !live_addr_autoconf(addr) &&
	       (addr->proto == OWNER_TAG_PROTOCOL ||
		(!input->live->addr_proto && (role == ROLE_ATTACH || role == ROLE_HOST) &&
		 (step->desired->n_addrs || step->desired->dhcp.enabled)));
}

static const struct live_addr *addr_find(const struct step *step, const struct prefix *prefix)
{
	each_addr_of (addr, step->ns, step->current->ifindex)
		if (prefix_equal(&addr->prefix, prefix))
			return addr;
	return NULL;
}

static bool addr_tagged_so(const struct plan_input *input, const struct step *step,
			   const struct live_addr *addr)
{
	if (step->desired->addr_terms)
		return !input->live->addr_proto ||
		       addr->proto == link_spec_addr_terms(step->desired, &addr->prefix).protocol;
	return step->current->tag.role != ROLE_NONE || addr_managed(input, step, addr);
}

/* A lease expires by itself; everything else is permanent. */
static bool addr_lasts_so(const struct step *step, const struct live_addr *addr)
{
	return !addr->valid == !link_spec_addr_terms(step->desired, &addr->prefix).valid;
}

static bool addr_ranks_so(const struct step *step, const struct live_addr *addr)
{
	return addr->metric == link_spec_addr_terms(step->desired, &addr->prefix).metric;
}

static bool is_desired(const struct step *step, const struct prefix *addr)
{
	for (size_t i = 0; i < step->desired->n_addrs; i++)
		if (prefix_equal(&step->desired->addrs[i], addr))
			return true;
	return false;
}

/* "172.16.86.20/24", or "172.16.86.20/24 metric 1" */
static const char *addr_text(struct arena *arena, const struct prefix *prefix, uint32_t metric)
{
	char text[PREFIX_TEXT_SIZE];
	prefix_format(prefix, text);
	return metric ? arena_printf(arena, "%s metric %u", text, metric)
		      : arena_strdup(arena, text);
}

/* `live` NULL: it is added. */
static void addr_change(struct changes *changes, const struct live_addr *live,
			const struct link_spec *desired, const struct prefix *prefix)
{
	struct arena *arena = changes->arena;
	const char *from = live ? addr_text(arena, prefix, live->metric) : NULL;
	const char *to =
		desired ? addr_text(arena, prefix, link_spec_addr_terms(desired, prefix).metric)
			: NULL;
	changes_add(changes, FIELD_ADDRESS, from, to)->addr = *prefix;
}

void diff_addrs(const struct plan_input *input, const struct step *step, struct changes *changes)
{
	const struct link_spec *desired = step->desired;
	each_addr_of (addr, step->ns, step->current->ifindex) {
		if (!is_desired(step, &addr->prefix) && addr_managed(input, step, addr))
			addr_change(changes, addr, NULL, &addr->prefix);
	}
	for (size_t i = 0; i < desired->n_addrs; i++) {
		const struct live_addr *addr = addr_find(step, &desired->addrs[i]);
		if (!addr)
			addr_change(changes, NULL, desired, &desired->addrs[i]);
		else if (!addr_tagged_so(input, step, addr) || !addr_lasts_so(step, addr) ||
			 !addr_ranks_so(step, addr))
			addr_change(changes, addr, desired, &desired->addrs[i]);
	}
}

static bool same_subnet(const struct prefix *one, const struct prefix *other)
{
	return one->len == other->len && prefix_contains(one, &other->ip);
}

/* The first of the desired IPv4 addresses in its subnet: the kernel makes the first one that is
 * added the primary one, with which packets leave (__inet_insert_ifa). */
static bool is_primary(const struct link_spec *desired, size_t number)
{
	for (size_t i = 0; i < number; i++)
		if (same_subnet(&desired->addrs[i], &desired->addrs[number]))
			return false;
	return desired->addrs[number].ip.family == AF_INET;
}

/* Those before it in its subnet are removed, and added again behind it (OP_RESTORE). `live` is NULL
 * if the link does not have it yet. */
static void primary_put(const struct plan_input *input, const struct step *step,
			struct changes *changes, const struct prefix *primary,
			const struct live_addr *live)
{
	char text[PREFIX_TEXT_SIZE], before[IP_TEXT_SIZE];
	each_addr_of (addr, step->ns, step->current->ifindex) {
		if (addr == live)
			return;
		if (same_subnet(&addr->prefix, primary) && addr_managed(input, step, addr) &&
		    is_desired(step, &addr->prefix))
			changes_add(changes, FIELD_ADDRESS,
				    arena_printf(changes->arena, "%s before %s",
						 prefix_format(&addr->prefix, text),
						 ip_format(&primary->ip, before)),
				    NULL)
				->addr = addr->prefix;
	}
}

void diff_primaries(const struct plan_input *input, const struct step *step,
		    struct changes *changes)
{
	for (size_t i = 0; i < step->desired->n_addrs; i++) {
		const struct live_addr *addr = addr_find(step, &step->desired->addrs[i]);
		if ((!addr || addr->flags & IFA_F_SECONDARY) && is_primary(step->desired, i))
			primary_put(input, step, changes, &step->desired->addrs[i], addr);
	}
}
