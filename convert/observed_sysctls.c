/* The sysctls of a link that a configuration has to contain. */
#include "convert/observed_set.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char stable_secret[] = "net.ipv6.conf.IFNAME.stable_secret";
static const char addr_gen_mode[] = "net.ipv6.conf.IFNAME.addr_gen_mode";

/* Sysctls that set the same value in a coarser unit: they must precede the finer one. */
static const struct coarse_unit {
	const char *coarse, *fine;
} coarse_units[] = {
	{"net.ipv4.neigh.IFNAME.base_reachable_time",
	 "net.ipv4.neigh.IFNAME.base_reachable_time_ms"},
	{"net.ipv4.neigh.IFNAME.retrans_time", "net.ipv4.neigh.IFNAME.retrans_time_ms"},
	{"net.ipv4.neigh.IFNAME.unres_qlen", "net.ipv4.neigh.IFNAME.unres_qlen_bytes"},
	{"net.ipv6.neigh.IFNAME.base_reachable_time",
	 "net.ipv6.neigh.IFNAME.base_reachable_time_ms"},
	{"net.ipv6.neigh.IFNAME.retrans_time", "net.ipv6.neigh.IFNAME.retrans_time_ms"},
	{"net.ipv6.neigh.IFNAME.unres_qlen", "net.ipv6.neigh.IFNAME.unres_qlen_bytes"},
};

static bool has_finer(const struct live_link *link, const char *key)
{
	for (size_t i = 0; i < sizeof(coarse_units) / sizeof(coarse_units[0]); i++)
		if (strcmp(coarse_units[i].coarse, key) == 0)
			return live_sysctl(link, coarse_units[i].fine) != NULL;
	return false;
}

/* Whether mvapply disables router advertisements on it: it does with addresses, and on an adopted
 * link. */
static bool is_quiet(const struct observed_attachment *attachment)
{
	each_addr_of (addr, attachment->ns, attachment->link->ifindex)
		if (observed_addr_counts(attachment->link, addr))
			return true;
	return attachment->link->tag.role == ROLE_NONE;
}

/* The default for a new link, or NULL: on a link with addresses of a file mvapply disables router
 * advertisements, and the IPv6 MTU follows the link's. */
static const char *default_sysctl_value(const struct observed_attachment *attachment,
					const char *key, char mtu[16])
{
	if (live_link_accepts_ra(attachment->ns, attachment->link) &&
	    (strcmp(key, ACCEPT_RA_KEY) == 0 || strcmp(key, ACCEPT_RA_DEFRTR_KEY) == 0))
		return live_sysctl(attachment->link, key);
	if (strcmp(key, ACCEPT_RA_KEY) == 0 && is_quiet(attachment))
		return "0";
	if (strcmp(key, "net.ipv6.conf.IFNAME.mtu") != 0)
		return live_sysctl(attachment->ns->default_sysctls, key);
	snprintf(mtu, 16, "%u", attachment->link->mtu);
	return mtu;
}

static int sysctl_compare(const void *a, const void *b)
{
	return strcmp(((const struct sysctl *)a)->key, ((const struct sysctl *)b)->key);
}

static void sysctls_sort(struct attachment *model)
{
	if (model->n_sysctls)
		qsort(model->sysctls, model->n_sysctls, sizeof(*model->sysctls), sysctl_compare);
}

/* Address generation by a secret requires one. */
static bool is_secret(const struct live_link *link, const char *key)
{
	return strcmp(key, stable_secret) == 0 ||
	       (strcmp(key, addr_gen_mode) == 0 && live_sysctl(link, stable_secret));
}

static void sysctl_put(struct observed_set *set, struct attachment *model,
		       const struct live_sysctl *sysctl)
{
	*array_push(set->arena, model->sysctls, model->n_sysctls) =
		(struct sysctl){.key = sysctl->key, .value = sysctl->value};
}

void observed_sysctls(struct observed_set *set, struct observed_attachment *attachment)
{
	const struct live_link *link = attachment->link;
	struct attachment *model = &attachment->model;
	for (size_t i = 0; attachment->ns->default_sysctls && i < link->n_sysctls; i++) {
		const struct live_sysctl *sysctl = &link->sysctls[i];
		char mtu[16];
		const char *default_sysctls = default_sysctl_value(attachment, sysctl->key, mtu);
		if ((default_sysctls && strcmp(default_sysctls, sysctl->value) == 0) ||
		    has_finer(link, sysctl->key))
			continue;
		if (is_secret(link, sysctl->key))
			note_add(set->arena, &attachment->notes,
				 "its sysctl %s is not exported: it is a secret, or depends on one",
				 sysctl->key);
		else
			sysctl_put(set, model, sysctl);
	}
	sysctls_sort(model);
}

void observed_ra_default(struct observed_set *set, struct observed_attachment *attachment,
			 bool planned)
{
	const char *live = live_sysctl(attachment->link, ACCEPT_RA_DEFRTR_KEY);
	if (!live || strcmp(live, planned ? "1" : "0") == 0)
		return;
	sysctl_put(set, &attachment->model,
		   &(struct live_sysctl){.key = ACCEPT_RA_DEFRTR_KEY, .value = live});
	sysctls_sort(&attachment->model);
}
