/* The doctor's checks of the parents: their state and their hardware. */
#include "cmd/doctor/doctor.h"

#include "cmd/output_text.h"
#include "lib/cleanup.h"
#include "lib/file_text.h"
#include "lib/hashmap.h"
#include "reconcile/plan/parent_link.h"
#include "schema/driver.h"

#include <limits.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const struct live_ns *host_of(const struct examination *examination)
{
	return examination->run->live->namespaces[0];
}

/* The link that the network's parent is, or that its VLAN is on. */
static const struct live_link *parent_of(const struct examination *examination,
					 const struct network *network)
{
	return network->parent ? parent_link_find(host_of(examination), network).base : NULL;
}

static bool is_conflict(const struct step *step)
{
	return step->action == ACTION_BLOCKED || step->action == ACTION_REFUSED;
}

/* The plan's step of the network itself, or of a link below it, or NULL. */
static const struct step *blocked_below(const struct examination *examination,
					const struct network *network)
{
	const struct plan *plan = examination->run->plan;
	for (size_t i = 0; i < plan->n_steps; i++)
		if (network && plan->steps[i].network == network && !plan->steps[i].container &&
		    is_conflict(&plan->steps[i]))
			return &plan->steps[i];
	return NULL;
}

/* Attachments that wait only for their network or a parent are left out: those are reported. */
const char *examine_plan(struct examination *examination)
{
	const struct plan *plan = examination->run->plan;
	const struct live *live = examination->run->live;
	for (size_t i = 0; i < plan->n_steps; i++) {
		const struct step *step = &plan->steps[i];
		if (!is_conflict(step) ||
		    (step->container &&
		     (step->code == CODE_PARENT_DOWN || blocked_below(examination, step->network))))
			continue;
		finding_add(examination, FINDING_PROBLEM, step_id(examination->arena, step, false),
			    step->reason, step->hint)
			->code = step->code;
	}
	/* The check of parents reports a parent that is down, with its fix. */
	for (size_t i = 0; i < plan->n_warnings; i++)
		if (plan->warnings[i].kind != WARNING_PARENT_DOWN)
			finding_add(examination, FINDING_WARNING, "the host",
				    warning_text(&plan->warnings[i], examination->arena), NULL)
				->code = warning_code(plan->warnings[i].kind);
	for (size_t i = 0; i < live->n_unreadable; i++)
		finding_add(examination, FINDING_PROBLEM, "the host",
			    arena_printf(examination->arena, "cannot be read: %s",
					 live->unreadable[i].text),
			    "run it as root")
			->code = CODE_UNREADABLE;
	return examination->host_alone ? NULL : "nothing on the host conflicts with the files";
}

/* The plan reports a parent that does not exist, and an MTU that does not fit. */
static const char *examine_parent(struct examination *examination, const struct live_link *parent)
{
	struct arena *arena = examination->arena;
	if (!(parent->flags & IFF_UP))
		finding_add(examination, FINDING_PROBLEM, parent->name, "is down",
			    arena_printf(arena,
					 "`ip link set %s up`, or let mvapply do it with "
					 "`manage_parent: true` on the network",
					 parent->name));
	return arena_printf(arena, "%s is up, mtu %u", parent->name, parent->mtu);
}

static const char *examine_lan(struct examination *examination, const struct network *network)
{
	const struct parent_link found = parent_link_find(host_of(examination), network);
	const char *examined = found.base ? examine_parent(examination, found.base) : NULL;
	if (found.link)
		examine_subnets(examination, network, found.link);
	return examined;
}

/* Returns what it checked, or NULL. */
typedef const char *examine_network(struct examination *examination, const struct network *network);

/* Calls it for each network whose parent can be used, and lists what it checked, each parent once;
 * NULL: nothing. */
static const char *each_network(struct examination *examination, examine_network *examine_one)
{
	const struct desired *desired = examination->desired;
	struct index *listed __attribute__((cleanup(index_cleanup))) = index_new(0);
	const char *checked = NULL;
	for (size_t i = 0; i < desired->n_sets; i++)
		for (size_t j = 0; j < desired->sets[i].n_networks; j++) {
			const struct network *network = &desired->sets[i].networks[j];
			if (!network->parent || blocked_below(examination, network))
				continue;
			const char *text = examine_one(examination, network);
			const struct live_link *parent = parent_of(examination, network);
			if (text && parent &&
			    !index_put(listed, &parent->ifindex, sizeof(parent->ifindex),
				       (void *)(uintptr_t)parent))
				checked = checked ? arena_printf(examination->arena, "%s, %s",
								 checked, text)
						  : text;
		}
	return checked;
}

const char *examine_parents(struct examination *examination)
{
	if (examination->host_alone && !examination->desired->sets[0].n_networks)
		return "no default route, which would show the link to the LAN";
	return each_network(examination, examine_lan);
}

/* /sys shows the network namespace that it was mounted in, which need not be this one. */
static bool sys_is_here(const struct live_link *link)
{
	char path[PATH_MAX];
	char mac[MAC_TEXT_SIZE];
	snprintf(path, sizeof(path), "/sys/class/net/%s/address", link->name);
	cleanup_free char *text = file_text(path);
	if (!text)
		return false;
	text[strcspn(text, "\n")] = '\0';
	return strcmp(text, mac_format(&link->mac, mac)) == 0;
}

/* Whether the kernel names the device of the link (IFLA_PARENT_DEV_NAME), by which /sys/bus finds
 * it from any namespace. */
static bool device_named(const struct live_link *link)
{
	return *link->device_bus && *link->device && !strchr(link->device_bus, '/') &&
	       !strchr(link->device, '/') && *link->device != '.' && *link->device_bus != '.';
}

static bool is_wireless(struct arena *arena, const struct live_link *link)
{
	const char *in_net = arena_printf(arena, "/sys/class/net/%s/", link->name);
	if (sys_is_here(link))
		return access(arena_printf(arena, "%sphy80211", in_net), F_OK) == 0 ||
		       access(arena_printf(arena, "%swireless", in_net), F_OK) == 0;
	return device_named(link) && access(arena_printf(arena, "/sys/bus/%s/devices/%s/ieee80211",
							 link->device_bus, link->device),
					    F_OK) == 0;
}

/* The driver of the device behind a link, or "". */
static const char *driver_of(struct arena *arena, const struct live_link *link)
{
	char path[PATH_MAX], target[PATH_MAX];
	if (device_named(link))
		snprintf(path, sizeof(path), "/sys/bus/%s/devices/%s/driver", link->device_bus,
			 link->device);
	else if (sys_is_here(link))
		snprintf(path, sizeof(path), "/sys/class/net/%s/device/driver", link->name);
	else
		return "";
	ssize_t length = readlink(path, target, sizeof(target) - 1);
	if (length < 0)
		return "";
	target[length] = '\0';
	const char *slash = strrchr(target, '/');
	return arena_strdup(arena, slash ? slash + 1 : target);
}

/* Rejected: ethtool's ioctl, which the filter of system calls denies, as it can also write a
 * device's firmware. */
static const char *hardware_text(struct arena *arena, const struct live_link *link,
				 const char *driver)
{
	if (!device_named(link) && !sys_is_here(link))
		return arena_printf(
			arena,
			"the hardware of %s is unknown: /sys shows another network namespace",
			link->name);
	return arena_printf(arena, "%s has %s%s", link->name, *driver ? "driver " : "no driver",
			    driver);
}

/* What is known of drivers: behind the first ones is a hypervisor or cloud that may drop frames
 * with MAC addresses that it did not give out; `filters` is how many addresses the device can hear
 * besides its own before it has to hear everything (the smallest of the driver's family). */
static const struct device_driver {
	const char *name;
	unsigned filters; /* 0: unknown */
	const char *drops, *fix;
} drivers[] = {
	{"vmxnet3", 0,
	 "VMware's port group drops frames with MAC addresses other than the machine's",
	 "allow forged transmits and promiscuous mode (or MAC learning) on the port group"},
	{"hv_netvsc", 0, "Hyper-V drops frames with MAC addresses other than the machine's",
	 "enable MAC address spoofing for the machine's adapter"},
	{"ena", 0, "EC2 delivers only to addresses that are assigned to the instance",
	 "use `driver: ipvlan` and assign the containers' addresses to the network interface"},
	{"gve", 0, "Google Cloud delivers only to addresses that are assigned to the instance",
	 "use `driver: ipvlan` with mode l3 and an alias range of the instance"},
	{"virtio_net", 64,
	 "the hypervisor may drop frames with MAC addresses other than the machine's",
	 "switch off its MAC and port security for this port, or use `driver: ipvlan`"},
	{"xen_netfront", 0, "Xen may drop frames with MAC addresses other than the machine's",
	 "allow them for this interface in the host's vif script"},
	{"vif", 0, "Xen may drop frames with MAC addresses other than the machine's",
	 "allow them for this interface in the host's vif script"},
	{"iavf", 0, "a virtual function drops frames with MAC addresses other than its own",
	 "on the host: `ip link set PF vf N trust on spoofchk off`"},
	{"ixgbevf", 0, "a virtual function drops frames with MAC addresses other than its own",
	 "on the host: `ip link set PF vf N trust on spoofchk off`"},
	{"igbvf", 0, "a virtual function drops frames with MAC addresses other than its own",
	 "on the host: `ip link set PF vf N trust on spoofchk off`"},
	{"e1000", 14, NULL, NULL},
	{"e1000e", 6, NULL, NULL},
	{"igb", 15, NULL, NULL},
	{"ixgbe", 15, NULL, NULL},
};

static const struct device_driver *driver_find(const char *name)
{
	for (size_t i = 0; i < sizeof(drivers) / sizeof(*drivers); i++)
		if (strcmp(drivers[i].name, name) == 0)
			return &drivers[i];
	return NULL;
}

/* The number of macvlans that the files put on a link, over all networks. */
static size_t count_macvlans(const struct examination *examination, const struct live_link *parent)
{
	const struct desired *desired = examination->desired;
	size_t count = 0;
	for (size_t i = 0; i < desired->n_sets; i++)
		for (size_t j = 0; j < desired->sets[i].n_containers; j++) {
			const struct container *container = &desired->sets[i].containers[j];
			for (size_t k = 0; k < container->n_attachments; k++) {
				const struct network *net = container->attachments[k].network;
				count += !driver_info(net->driver)->shares_mac &&
					 parent_of(examination, net) == parent;
			}
		}
	return count;
}

/* Whether an earlier network of the files has the same parent and driver. */
static bool seen_before(const struct examination *examination, const struct network *network)
{
	const struct desired *desired = examination->desired;
	for (size_t i = 0; i < desired->n_sets; i++)
		for (size_t j = 0; j < desired->sets[i].n_networks; j++) {
			const struct network *other = &desired->sets[i].networks[j];
			if (other == network)
				return false;
			if (other->driver == network->driver &&
			    parent_of(examination, other) == parent_of(examination, network))
				return true;
		}
	return false;
}

static void examine_driver(struct examination *examination, const struct live_link *parent,
			   const struct device_driver *driver)
{
	struct arena *arena = examination->arena;
	if (driver && driver->drops)
		finding_add(
			examination, FINDING_WARNING, parent->name,
			arena_printf(arena, "its driver is %s: %s", driver->name, driver->drops),
			driver->fix);
	size_t macvlans = count_macvlans(examination, parent);
	if (driver && driver->filters && macvlans > driver->filters)
		finding_add(
			examination, FINDING_WARNING, parent->name,
			arena_printf(
				arena,
				"its driver is %s, which can filter %u additional MAC addresses; "
				"with %zu macvlans the device may switch to promiscuous mode and "
				"receive all frames",
				driver->name, driver->filters, macvlans),
			"use several parents, or `driver: ipvlan`, which needs no additional MAC "
			"addresses");
}

/* ipvlan has the parent's own MAC address, which is all that these let pass. */
static const char *examine_device(struct examination *examination, const struct network *network)
{
	const struct live_link *parent = parent_of(examination, network);
	if (!parent || driver_info(network->driver)->shares_mac ||
	    seen_before(examination, network))
		return NULL;
	if (is_wireless(examination->arena, parent))
		finding_add(examination, FINDING_PROBLEM, parent->name,
			    "is wireless: its access point drops frames with MAC addresses other "
			    "than the link's own, so macvlan does not work on it",
			    "use `driver: ipvlan` for this network, or a wired parent");
	const char *driver = driver_of(examination->arena, parent);
	examine_driver(examination, parent, driver_find(driver));
	return hardware_text(examination->arena, parent, driver);
}

const char *examine_hardware(struct examination *examination)
{
	return each_network(examination, examine_device);
}
