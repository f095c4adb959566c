/* The doctor's checks of the host: capabilities, IPv6, sysctls. */
#include "cmd/doctor/doctor.h"

#include "lib/capability.h"
#include "lib/cleanup.h"

#include <errno.h>
#include <linux/capability.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char the_host[] = "the host";

/* Whether the container's network namespace is found by a process. */
static bool is_of_process(const struct container *container)
{
	return container->source_kind != SOURCE_NETNS;
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
		    !desired_any_container(examination->desired, is_of_process))
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

static bool uses_ipv6(const struct network *network)
{
	return network_has_family(network, AF_INET6);
}

const char *examine_ipv6(struct examination *examination)
{
	const bool present = access("/proc/sys/net/ipv6", F_OK) == 0;
	if (examination->host_alone)
		return present ? "the kernel has IPv6 enabled" : "the kernel runs without IPv6";
	if (!desired_any_network(examination->desired, uses_ipv6))
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
