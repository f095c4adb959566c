/* The doctor's checks of the host: capabilities, kernel, sysctls. */
#include "cmd/doctor/doctor.h"

#include "kernel/kernel_features.h"
#include "kernel/link_kind.h"
#include "lib/capability.h"
#include "lib/cleanup.h"
#include "reconcile/plan/parent_link.h"

#include <errno.h>
#include <linux/capability.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char the_host[] = "the host";

/* Whether a container's network namespace is found by a process. */
static bool any_of_process(const struct desired *desired)
{
	for (size_t i = 0; i < desired->n_sets; i++)
		for (size_t k = 0; k < desired->sets[i].n_containers; k++)
			if (desired->sets[i].containers[k].source_kind != SOURCE_NETNS)
				return true;
	return false;
}

#define FIX_SERVICE "run mvapply with sudo, or as the service of examples/systemd"
#define FIX_ENGINES                                                                                \
	"run mvapply with sudo, or as the service of examples/systemd with the drop-in "           \
	"mvapply-engines.conf"

/* The capabilities that the files need. */
static const struct needed {
	unsigned number;
	enum finding_level level;
	const char *name, *use, *fix;
	bool of_process; /* only for containers that are found by a process */
} needed[] = {
	{CAP_NET_ADMIN, FINDING_PROBLEM, "CAP_NET_ADMIN", "to create and change links", FIX_SERVICE,
	 false},
	{CAP_SYS_ADMIN, FINDING_PROBLEM, "CAP_SYS_ADMIN",
	 "to enter the containers' network namespaces", FIX_SERVICE, false},
	{CAP_NET_RAW, FINDING_WARNING, "CAP_NET_RAW", "to announce addresses to the LAN",
	 FIX_SERVICE, false},
	{CAP_SYS_PTRACE, FINDING_PROBLEM, "CAP_SYS_PTRACE",
	 "to open the network namespaces of containers that are found by a process (docker, "
	 "podman, pid, lxc, incus, systemd, machine)",
	 FIX_ENGINES, true},
};

const char *examine_rights(struct examination *examination)
{
	const uint64_t held = capabilities_effective();
	const char *names = NULL;
	for (size_t i = 0; i < sizeof(needed) / sizeof(*needed); i++) {
		const struct needed *row = &needed[i];
		if (row->of_process && !examination->host_alone &&
		    !any_of_process(examination->desired))
			continue;
		names = names ? arena_printf(examination->arena, "%s, %s", names, row->name)
			      : row->name;
		if (!(held & CAPABILITY_BIT(row->number)))
			finding_add(examination, row->level, "this user",
				    arena_printf(examination->arena, "lacks %s, which is needed %s",
						 row->name, row->use),
				    row->fix);
	}
	return names;
}

/* Where the host could not be read, eth0.10 is taken for a VLAN. */
static bool needs_vlan(const struct examination *examination, const struct network *network)
{
	if (!network->parent || !examination->run)
		return network->vlan || network->short_form.parent;
	return parent_link_find(examination->run->live->namespaces[0], network).vlan;
}

/* A mask of 1 << enum link_kind. */
static unsigned needed_kinds(const struct examination *examination)
{
	const struct desired *desired = examination->desired;
	unsigned kinds = 0;
	for (size_t i = 0; i < desired->n_sets; i++)
		for (size_t j = 0; j < desired->sets[i].n_networks; j++) {
			const struct network *network = &desired->sets[i].networks[j];
			kinds |= 1U << link_kind_of_driver(network->driver);
			kinds |= needs_vlan(examination, network) ? 1U << KIND_VLAN : 0;
			kinds |= network->parent ? 0 : 1U << KIND_DUMMY;
		}
	return kinds;
}

/* The same without files. */
static const unsigned creatable_kinds = 1U << KIND_MACVLAN | 1U << KIND_IPVLAN |
					1U << KIND_MACVTAP | 1U << KIND_VLAN | 1U << KIND_DUMMY;

/* Whether its default route may have to be in addition to that of its engine. */
static bool may_need_policy_routing(const struct container *container)
{
	if (container->source_kind != SOURCE_DOCKER && container->source_kind != SOURCE_PODMAN)
		return false;
	for (size_t i = 0; i < container->n_attachments; i++)
		if (container->attachments[i].gw_priority > 0)
			return true;
	return false;
}

static bool needs_policy_routing(const struct desired *desired)
{
	for (size_t i = 0; i < desired->n_sets; i++)
		for (size_t k = 0; k < desired->sets[i].n_containers; k++)
			if (may_need_policy_routing(&desired->sets[i].containers[k]))
				return true;
	return false;
}

static void examine_policy_routing(struct examination *examination)
{
	struct error ignored;
	bool there;
	if (needs_policy_routing(examination->desired) &&
	    feature_policy_routing(&there, &ignored) == 0 && !there)
		finding_add(examination, FINDING_WARNING, the_host,
			    "the kernel has no policy routing, which a `gw_priority` needs in a "
			    "container with a default route of its engine",
			    "use a kernel with CONFIG_IP_MULTIPLE_TABLES and "
			    "CONFIG_IPV6_MULTIPLE_TABLES, or remove `gw_priority`")
			->code = CODE_KERNEL_LACKS;
}

const char *examine_kernel(struct examination *examination)
{
	struct arena *arena = examination->arena;
	const bool alone = examination->host_alone;
	unsigned kinds = alone ? creatable_kinds : needed_kinds(examination), missing;
	const char *names = NULL;
	struct error error;
	if (feature_missing_kinds(kinds, &missing, &error) < 0)
		return NULL; /* no capability to detect it, which is reported already */
	for (enum link_kind kind = KIND_OTHER + 1; kind < N_LINK_KINDS; kind++) {
		const char *name = link_kind_name(kind), *module = link_type(kind)->module;
		if (kinds & 1U << kind)
			names = names ? arena_printf(arena, "%s, %s", names, name) : name;
		if (missing & 1U << kind)
			finding_add(examination, alone ? FINDING_WARNING : FINDING_PROBLEM,
				    the_host,
				    arena_printf(arena,
						 "the kernel cannot create %s links: "
						 "it has no module %s",
						 name, module),
				    arena_printf(arena,
						 "`modprobe %s`, or install the kernel's "
						 "package with its extra modules",
						 module));
	}
	examine_policy_routing(examination);
	return !names  ? "the files use no kind of link"
	       : alone ? arena_printf(arena, "it supports %s links", names)
		       : arena_printf(arena, "it supports the links that the files use: %s", names);
}

static bool uses_ipv6(const struct desired *desired)
{
	for (size_t i = 0; i < desired->n_sets; i++)
		for (size_t j = 0; j < desired->sets[i].n_networks; j++)
			if (network_has_family(&desired->sets[i].networks[j], AF_INET6))
				return true;
	return false;
}

const char *examine_ipv6(struct examination *examination)
{
	const bool present = access("/proc/sys/net/ipv6", F_OK) == 0;
	if (examination->host_alone)
		return present ? "the kernel has IPv6 enabled" : "the kernel runs without IPv6";
	if (!uses_ipv6(examination->desired))
		return NULL;
	if (!present)
		finding_add(examination, FINDING_PROBLEM, the_host,
			    "the files have IPv6 subnets, but the kernel runs without IPv6",
			    "start the kernel without ipv6.disable=1, or remove those subnets");
	return "the kernel has IPv6 enabled";
}

/* A number under /proc/sys of this namespace, or -1. */
static int sysctl_number(const char *path)
{
	cleanup_fclose FILE *file = fopen(path, "re");
	char line[16] = "";
	return file && fgets(line, sizeof(line), file) ? atoi(line) : -1;
}

/* Whether the file sets rp_filter of the attachment's link. */
static bool sets_rp_filter(const struct attachment *attachment)
{
	for (size_t i = 0; i < attachment->n_sysctls; i++)
		if (strcmp(attachment->sysctls[i].key, "net.ipv4.conf.IFNAME.rp_filter") == 0)
			return true;
	return false;
}

static void examine_container(struct examination *examination, const struct container *container)
{
	size_t strict = 0;
	for (size_t i = 0; i < container->n_attachments; i++)
		strict += !sets_rp_filter(&container->attachments[i]);
	if (container->n_attachments < 2 || strict == 0)
		return;
	finding_add(
		examination, FINDING_WARNING, container->name,
		"is on several networks, and new network namespaces of this host have strict reverse "
		"path filtering (rp_filter 1): packets from outside the LAN are dropped if they arrive "
		"through a network without the default route",
		"give those attachments `sysctls: {net.ipv4.conf.IFNAME.rp_filter: \"2\"}`");
}

/* A new namespace inherits the values of the initial one (devinet_init_net), and the larger of
 * `all` and the link's own value applies (ip_sysctl: rp_filter), so that 2 on the link is
 * sufficient. */
const char *examine_rp_filter(struct examination *examination)
{
	int all = sysctl_number("/proc/sys/net/ipv4/conf/all/rp_filter");
	int fresh = sysctl_number("/proc/sys/net/ipv4/conf/default/rp_filter");
	const struct desired *desired = examination->desired;
	bool strict = (all > fresh ? all : fresh) == 1;
	for (size_t i = 0; strict && i < desired->n_sets; i++)
		for (size_t j = 0; j < desired->sets[i].n_containers; j++)
			examine_container(examination, &desired->sets[i].containers[j]);
	if (strict && examination->host_alone)
		return "strict: a container on several networks needs the sysctl "
		       "net.ipv4.conf.IFNAME.rp_filter: \"2\"";
	return strict ? "strict, but it affects no container" : "not strict";
}
