/* The doctor's checks of the host: capabilities, kernel, sysctls. */
#include "cmd/doctor/doctor.h"

#include "kernel/kernel_features.h"
#include "kernel/link_kind.h"
#include "lib/cleanup.h"

#include <errno.h>
#include <linux/capability.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char the_host[] = "the host";

/* CapEff of proc_pid_status(5): the effective capabilities as a mask; 0 where it cannot be read. */
static unsigned long long capabilities(void)
{
	cleanup_fclose FILE *file = fopen("/proc/self/status", "re");
	char line[256];
	unsigned long long mask = 0;
	while (file && fgets(line, sizeof(line), file))
		if (strncmp(line, "CapEff:", 7) == 0)
			mask = strtoull(line + 7, NULL, 16);
	return mask;
}

const char *examine_rights(struct examination *examination)
{
	static const struct {
		unsigned number;
		enum finding_level level;
		const char *name, *use;
	} needed[] = {
		{CAP_NET_ADMIN, FINDING_PROBLEM, "CAP_NET_ADMIN", "to make and change links"},
		{CAP_SYS_ADMIN, FINDING_PROBLEM, "CAP_SYS_ADMIN",
		 "to enter the containers' network namespaces"},
		{CAP_NET_RAW, FINDING_WARNING, "CAP_NET_RAW", "to announce addresses to the LAN"},
	};
	unsigned long long mask = capabilities();
	for (size_t i = 0; i < sizeof(needed) / sizeof(*needed); i++)
		if (!(mask >> needed[i].number & 1))
			finding_add(examination, needed[i].level, "this user",
				    arena_printf(examination->arena, "lacks %s, which is needed %s",
						 needed[i].name, needed[i].use),
				    "run it with sudo, or as the service of examples/systemd");
	return "CAP_NET_ADMIN, CAP_SYS_ADMIN, CAP_NET_RAW";
}

/* A mask of 1 << enum link_kind. */
static unsigned wanted_kinds(const struct desired *desired)
{
	unsigned kinds = 0;
	for (size_t i = 0; i < desired->n_sets; i++)
		for (size_t j = 0; j < desired->sets[i].n_networks; j++) {
			const struct network *network = &desired->sets[i].networks[j];
			kinds |= 1U << link_kind_of_driver(network->driver);
			kinds |= network->vlan ? 1U << KIND_VLAN : 0;
			kinds |= network->parent ? 0 : 1U << KIND_DUMMY;
		}
	return kinds;
}

const char *examine_kernel(struct examination *examination)
{
	struct arena *arena = examination->arena;
	unsigned kinds = wanted_kinds(examination->desired), missing;
	const char *names = NULL;
	struct error error;
	if (feature_missing_kinds(kinds, &missing, &error) < 0)
		return NULL; /* for lack of capabilities, which is reported already */
	for (enum link_kind kind = KIND_OTHER + 1; kind < N_LINK_KINDS; kind++) {
		const char *name = link_kind_name(kind), *module = link_type(kind)->module;
		if (kinds & 1U << kind)
			names = names ? arena_printf(arena, "%s, %s", names, name) : name;
		if (missing & 1U << kind)
			finding_add(examination, FINDING_PROBLEM, the_host,
				    arena_printf(arena,
						 "the kernel cannot make %s links: it has "
						 "no module %s",
						 name, module),
				    arena_printf(arena,
						 "`modprobe %s`, or install the kernel's "
						 "package with its extra modules",
						 module));
	}
	return names ? names : "nothing is asked of it";
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
	if (!uses_ipv6(examination->desired))
		return NULL;
	if (access("/proc/sys/net/ipv6", F_OK) != 0)
		finding_add(examination, FINDING_PROBLEM, the_host,
			    "the files have IPv6 subnets, but the kernel runs without IPv6",
			    "start the kernel without ipv6.disable=1, or remove those subnets");
	return "the kernel has it";
}

/* A number under /proc/sys of this namespace, or -1. */
static int sysctl_number(const char *path)
{
	cleanup_fclose FILE *file = fopen(path, "re");
	char line[16] = "";
	return file && fgets(line, sizeof(line), file) ? atoi(line) : -1;
}

/* Whether the file sets rp_filter of the attachment's link itself. */
static bool says_rp_filter(const struct attachment *attachment)
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
		strict += !says_rp_filter(&container->attachments[i]);
	if (container->n_attachments < 2 || strict == 0)
		return;
	finding_add(
		examination, FINDING_WARNING, container->name,
		"is on several networks, and new namespaces of this host filter by reverse path "
		"strictly (rp_filter 1): what comes from beyond the LAN by a network without the "
		"default route is dropped",
		"give those attachments `sysctls: {net.ipv4.conf.IFNAME.rp_filter: \"2\"}`");
}

/* A new namespace inherits the values of the first one (devinet_init_net), and what counts is the
 * larger of `all` and the link's own (ip_sysctl: rp_filter), so that 2 on the link is enough. */
const char *examine_rp_filter(struct examination *examination)
{
	int all = sysctl_number("/proc/sys/net/ipv4/conf/all/rp_filter");
	int fresh = sysctl_number("/proc/sys/net/ipv4/conf/default/rp_filter");
	const struct desired *desired = examination->desired;
	bool strict = (all > fresh ? all : fresh) == 1;
	for (size_t i = 0; strict && i < desired->n_sets; i++)
		for (size_t j = 0; j < desired->sets[i].n_containers; j++)
			examine_container(examination, &desired->sets[i].containers[j]);
	return strict ? "strict, and no container minds" : "not strict";
}
