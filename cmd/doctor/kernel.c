/* The doctor's check of the kernel: what it lacks of what the files ask for. */
#include "cmd/doctor/doctor.h"

#include "kernel/kernel_features.h"
#include "kernel/link_kind.h"
#include "kernel/rtnl_encode_probe.h"
#include "reconcile/plan/parent_link.h"

#include <net/if.h>
#include <string.h>

static const char the_host[] = "the host";

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

static void examine_policy_routing(struct examination *examination)
{
	struct error ignored;
	bool there;
	if (desired_any_container(examination->desired, may_need_policy_routing) &&
	    feature_policy_routing(&there, &ignored) == 0 && !there)
		finding_add(examination, FINDING_WARNING, the_host,
			    "the kernel has no policy routing, which a `gw_priority` needs in a "
			    "container with a default route of its engine",
			    "use a kernel with CONFIG_IP_MULTIPLE_TABLES and "
			    "CONFIG_IPV6_MULTIPLE_TABLES, or remove `gw_priority`")
			->code = CODE_KERNEL_LACKS;
}

static bool manages_parent(const struct network *network)
{
	return network->manage_parent;
}

static bool has_altnames(const struct container *container)
{
	for (size_t i = 0; i < container->n_attachments; i++)
		if (container->attachments[i].n_altnames)
			return true;
	return false;
}

static bool asks_altnames(const struct examination *examination)
{
	return desired_any_network(examination->desired, manages_parent) ||
	       desired_any_container(examination->desired, has_altnames);
}

static bool has_attachments(const struct container *container)
{
	return container->n_attachments;
}

/* Whether a link of the files can have addresses. */
static bool asks_addresses(const struct examination *examination)
{
	return desired_any_container(examination->desired, has_attachments);
}

/* Whether FEATURE_RENAME_UP can be asked for. */
static bool loopback_is_usual(const struct live *live)
{
	const struct live_link *loopback =
		live_link_by_index(live->namespaces[0], LOOPBACK_IFINDEX);
	return loopback && loopback->flags & IFF_UP && strcmp(loopback->name, LOOPBACK_NAME) == 0;
}

static bool asks_rename(const struct examination *examination)
{
	const struct run *run = examination->run;
	if (!run || !loopback_is_usual(run->live))
		return false;
	for (size_t i = 0; i < run->plan->n_steps; i++) {
		const struct step *step = &run->plan->steps[i];
		if (step->action != ACTION_CHANGE || !(step->current->flags & IFF_UP))
			continue;
		for (size_t k = 0; k < step->n_changes; k++)
			if (step->changes[k].field == FIELD_NAME)
				return true;
	}
	return false;
}

/* The plan warns of `bcqueuelen` and `bclim`. */
static const struct {
	enum kernel_feature feature;
	enum finding_level level;
	bool (*asked)(const struct examination *examination);
	const char *text, *fix;
} asked_features[] = {
	{FEATURE_ALTNAME, FINDING_PROBLEM, asks_altnames,
	 "the kernel has no alternative names of links (they are from Linux 5.5), which `altnames` "
	 "and `manage_parent` need",
	 "remove these keys, or use Linux 5.5 or later"},
	{FEATURE_ADDR_PROTOCOL, FINDING_NOTE, asks_addresses,
	 "the kernel keeps no protocol of addresses (it is from Linux 5.18): an address that another "
	 "program adds to a link of mvapply counts as managed, and is removed",
	 "let no other program add addresses to these links, or use Linux 5.18 or later"},
	{FEATURE_RENAME_UP, FINDING_WARNING, asks_rename,
	 "the kernel cannot rename a link that is up (Linux 6.2 can): a link whose name changes is "
	 "down for a moment",
	 "apply the change of `interface_name` when that does no harm, or use Linux 6.2 or later"},
};

#define N_ASKED (sizeof(asked_features) / sizeof(asked_features[0]))

static void examine_features(struct examination *examination)
{
	unsigned asked = 0, missing;
	struct error ignored;
	for (size_t i = 0; i < N_ASKED; i++)
		if (asked_features[i].asked(examination))
			asked |= FEATURE_BIT(asked_features[i].feature);
	if (features_missing(asked, &missing, &ignored) < 0)
		return;
	for (size_t i = 0; i < N_ASKED; i++)
		if (missing & FEATURE_BIT(asked_features[i].feature))
			finding_add(examination, asked_features[i].level, the_host,
				    asked_features[i].text, asked_features[i].fix)
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
	if (!alone)
		examine_features(examination);
	return !names  ? "the files use no kind of link"
	       : alone ? arena_printf(arena, "it supports %s links", names)
		       : arena_printf(arena, "it supports the links that the files use: %s", names);
}
