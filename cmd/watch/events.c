#include "cmd/signals.h"
#include "cmd/watch/internal.h"
#include "cmd/watch/sd_notify.h"
#include "kernel/link_kind.h"
#include "kernel/rtnl_decode.h"
#include "lib/clock.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <unistd.h>

/* Editors and git write in bursts: the files are applied when they have been unchanged for some
 * time, or at the latest after the longest wait. They are read before that, when the burst seems to
 * be over, as the service is idle then. */
#define PREFETCH_MS      5
#define QUIET_MS         20
#define QUIET_LONGEST_MS 500

/* Limits of the datagrams that are read at once, as others can cause events without end: in
 * general, and, while other processes wait for the lock, in addition to those of the pass's own
 * steps. */
#define EVENTS_MAX       65536
#define EVENTS_LOCKED    8192
#define EVENTS_OF_STEP   64
#define EVENTS_OF_CHANGE 8

void service_nsids_forget(struct service *service)
{
	arena_free(service->nsids_arena);
	service->nsids_arena = NULL;
}

void service_mark_stale(struct service *service)
{
	service_nsids_forget(service);
	active_all(&service->active);
	live_free(service->live);
	service->live = NULL;
	service->lost = service->searched = false;
	service_replan(service);
}

void service_ns_stale(struct service *service, struct live_ns *ns)
{
	active_add(&service->active, ns);
	ns->stale = true;
}

void service_lookup_stale(struct service *service, struct container_lookup *lookup)
{
	active_all(&service->active);
	lookup->stale = true;
}

/* The index is made at the first event after a change: namespaces of other programs cause events
 * all the time, one by one. */
static struct live_ns *ns_of(struct service *service, int nsid)
{
	if (nsid == MONITOR_HOST)
		return service->live->namespaces[0];
	if (!service->nsids_arena) {
		service->nsids_arena = arena_new();
		service->nsids = nsid_index_make(service->live, service->nsids_arena);
	}
	return nsid_index_find(&service->nsids, nsid);
}

/* A managed link of the host, or one that the files use as a parent. */
static bool link_matters(const struct service *service, const struct live_link *link)
{
	if (link->tag.role != ROLE_NONE)
		return true;
	for (size_t s = 0; s < service->desired->n_sets; s++) {
		const struct set *set = &service->desired->sets[s];
		for (size_t i = 0; i < set->n_networks; i++)
			if (set->networks[i].parent &&
			    live_link_is_called(link, set->networks[i].parent))
				return true;
	}
	return false;
}

static const struct live_link *lower_link(const struct service *service,
					  const struct live_link *link)
{
	return link_type(link->kind)->has_parent
		       ? live_link_parent(service->live->namespaces[0], link)
		       : NULL;
}

/* Also any link on such a link: it may have an address that an attachment would get. */
static bool index_matters(const struct service *service, int ifindex)
{
	const struct live_link *link = live_link_by_index(service->live->namespaces[0], ifindex);
	while (link && !link_matters(service, link))
		link = lower_link(service, link);
	return link;
}

static void ns_stale(struct service *service, struct live_ns *ns)
{
	service_ns_stale(service, ns);
	service->dirty = true;
}

static bool any_user(const struct live_ns *ns, int parent, bool deleted)
{
	for (size_t i = 0; i < ns->n_links; i++) {
		const struct live_link *link = &ns->links[i];
		if (deleted ? live_link_on(link, parent)
			    : link->tag.role != ROLE_NONE && live_parent_away(link))
			return true;
	}
	return false;
}

/* A parent of the host is deleted or added, also by a move between namespaces. The kernel reports
 * nothing of it in the namespaces of the links on it, unless it is up
 * (netif_stacked_transfer_operstate). */
static void parent_event(struct service *service, const struct live_link *link, bool deleted)
{
	if ((!deleted && live_link_by_index(service->live->namespaces[0], link->ifindex)) ||
	    !(link_matters(service, link) || index_matters(service, link->ifindex)))
		return;
	for (size_t i = 1; i < service->live->n_namespaces; i++) {
		struct live_ns *ns = service->live->namespaces[i];
		if (!ns->crowded && any_user(ns, link->ifindex, deleted))
			ns_stale(service, ns);
	}
}

/* A container that creates and deletes links makes the kernel report their unchanged parent
 * (rtmsg_ifinfo of the lower device, netdev_upper_dev_link). */
static bool changes_nothing(const struct service *service, const struct live_link *link)
{
	const struct live_link *known =
		live_link_by_index(service->live->namespaces[0], link->ifindex);
	return known && live_link_equal(link, known);
}

/* Whether the host has to be read because of it. */
static bool link_event(struct service *service, const struct nlmsghdr *message, bool deleted)
{
	__attribute__((cleanup(arena_cleanup))) struct arena *arena = arena_new();
	struct live_link link;
	struct parent_ref parent;
	switch (decode_link(arena, message, &link, &parent)) {
	case DECODED:
		parent_event(service, &link, deleted);
		if (!deleted && changes_nothing(service, &link))
			return false;
		/* A veth's peer may have any ifindex in its own namespace. */
		return link_matters(service, &link) || index_matters(service, link.ifindex) ||
		       (!parent.other_netns && index_matters(service, link.parent));
	case DECODE_SKIP:
		return false;
	case DECODE_BAD:
		break;
	}
	return true;
}

static bool addr_event_matters(const struct service *service, const struct nlmsghdr *message)
{
	struct live_addr addr;
	bool has_proto;
	enum decoded decoded = decode_addr(message, &addr, &has_proto);
	return decoded == DECODE_BAD ||
	       (decoded == DECODED && index_matters(service, addr.ifindex));
}

/* Managed routes lead from the host's own link of a network to its containers
 * (host_routes_specify): routes of others to the same destination conflict with them. A routing
 * daemon changes other routes all the time. */
static bool destination_matters(const struct service *service, const struct prefix *to)
{
	for (size_t s = 0; to->len == ip_bits(&to->ip) && s < service->desired->n_sets; s++) {
		const struct set *set = &service->desired->sets[s];
		for (size_t i = 0; i < set->n_networks; i++)
			if (set->networks[i].host.enabled &&
			    network_subnet_of(&set->networks[i], &to->ip))
				return true;
	}
	return false;
}

static bool route_event_matters(const struct service *service, const struct nlmsghdr *message)
{
	struct live_route route;
	enum decoded decoded = decode_route(message, 0, &route);
	return decoded == DECODE_BAD ||
	       (decoded == DECODED && (route.proto == OWNER_TAG_PROTOCOL ||
				       (!route.table && destination_matters(service, &route.to))));
}

/* Other programs' links, addresses and routes change on a host all the time. A crowded host is read
 * when containers are retried, as all other processes wait. */
static void host_event(struct service *service, const struct nlmsghdr *message, bool deleted)
{
	struct live_ns *host = service->live->namespaces[0];
	const bool open = !host->stale && !host->crowded;
	bool matters = false;
	if (message->nlmsg_type == RTM_NEWLINK)
		matters = link_event(service, message, deleted);
	else if (open && message->nlmsg_type == RTM_NEWADDR)
		matters = addr_event_matters(service, message);
	else if (open && message->nlmsg_type == RTM_NEWROUTE)
		matters = route_event_matters(service, message);
	if (matters && open)
		ns_stale(service, host);
}

/* The namespace with that nsid was destroyed. */
static void ns_died(struct service *service, const struct nlmsghdr *message)
{
	int nsid;
	struct live_ns *ns =
		decode_nsid(message, &nsid) == DECODED && nsid >= 0 ? ns_of(service, nsid) : NULL;
	if (!ns)
		return;
	ns->nsid = -1;
	ns->dead = true;
	service->netns_died = true;
	ns_stale(service, ns);
}

/* Whether an event in a container's namespace reports an attachment or a guest, of any set, or an
 * address of one. A container can cause such events with its own links. */
static bool event_tagged(const struct service *service, const struct nlmsghdr *message)
{
	__attribute__((cleanup(arena_cleanup))) struct arena *arena = arena_new();
	struct live_link link;
	struct live_addr addr;
	struct parent_ref parent;
	bool has_proto;
	if (message->nlmsg_type == RTM_NEWLINK)
		return decode_link(arena, message, &link, &parent) == DECODED &&
		       role_in_container(link.tag.role);
	return message->nlmsg_type == RTM_NEWADDR &&
	       decode_addr(message, &addr, &has_proto) == DECODED &&
	       (addr.proto == OWNER_TAG_PROTOCOL || !service->live->addr_proto);
}

static void container_event(struct service *service, struct live_ns *ns,
			    const struct nlmsghdr *message, bool deleted)
{
	/* A crowded namespace is read when its containers are retried, as all other processes
	 * wait. */
	if (!ns->stale && !ns->rate_limited && !ns->crowded && !rate_limit_defers(service, ns))
		ns_stale(service, ns);
	if (ns->rate_limited && !ns->tagged && !deleted)
		ns->tagged = event_tagged(service, message);
}

/* A plugin attaches a pod or a guest in a namespace that is not known yet, to which it has given an
 * nsid. */
static void unknown_event(struct service *service, const struct nlmsghdr *message, bool deleted)
{
	if (!deleted && message->nlmsg_type == RTM_NEWLINK && !service->wide &&
	    event_tagged(service, message))
		namespaces_search(service);
}

/* Whether an unknown namespace may have a new link on one of the host's. For each link on it the
 * kernel reports the parent (netdev_upper_dev_link, NETDEV_CHANGEUPPER in rtnetlink_event), which
 * is a link of the host; for a link that is moved, only that its former namespace has lost it. */
static bool unknown_link_possible(const struct live_ns *ns, const struct nlmsghdr *message,
				  bool deleted)
{
	return message->nlmsg_type == RTM_NEWLINK && ns && (ns->host || deleted);
}

static void kernel_event(void *data, int nsid, const struct nlmsghdr *message, bool deleted)
{
	struct service *service = data;
	if (!service->live)
		return;
	if (message->nlmsg_type == RTM_NEWNSID) {
		if (deleted && nsid == MONITOR_HOST)
			ns_died(service, message);
		return;
	}
	struct live_ns *ns = ns_of(service, nsid);
	if (unknown_link_possible(ns, message, deleted))
		service->searched = false;
	if (ns && ns->host)
		host_event(service, message, deleted);
	else if (ns)
		container_event(service, ns, message, deleted);
	else
		unknown_event(service, message, deleted);
}

/* As monitor_drain. */
static int events_take(struct service *service, size_t most)
{
	return monitor_drain(service->monitor, (int)most, kernel_event, service);
}

void service_read_events(struct service *service)
{
	if (events_take(service, EVENTS_MAX) < 0)
		events_lost(service);
}

void service_read_events_locked(struct service *service, const struct selection *done)
{
	size_t most = EVENTS_LOCKED;
	for (size_t i = 0; done && i < done->plan->n_steps; i++)
		if (done->selected[i])
			most += EVENTS_OF_STEP + EVENTS_OF_CHANGE * done->plan->steps[i].n_changes;
	if (most > EVENTS_MAX)
		most = EVENTS_MAX;
	const int received = events_take(service, most);
	if (received < 0 || received == (int)most)
		events_lost(service);
}

static void monitor_ready(void *data, int fd, uint32_t events)
{
	(void)fd;
	(void)events;
	service_read_events(data);
}

/* The files may have changed: they are read when they are quiet. */
static void files_touched(struct service *service)
{
	service_unread(service);
	loop_timer_set(service->loop, &service->prefetched, PREFETCH_MS);
	if (!service->first_event)
		service->first_event = clock_milliseconds();
	int64_t left = service->first_event + QUIET_LONGEST_MS - clock_milliseconds();
	if (left < 0)
		left = 0;
	loop_timer_set(service->loop, &service->debounce, left < QUIET_MS ? left : QUIET_MS);
}

/* inotify does not report that a file system with the files is mounted. */
static void mounts_event(void *data)
{
	struct service *service = data;
	if (!service->metrics.input_valid)
		files_touched(service);
	service_engines_mounted(service);
	container_names_changed(service);
}

static void paths_prefetch(void *data)
{
	struct service *service = data;
	paths_arm(service->paths);
	service_prefetch(service);
}

static void debounce_due(void *data)
{
	struct service *service = data;
	service->first_event = 0;
	loop_timer_set(service->loop, &service->prefetched, -1);
	if (!service->reload.done)
		paths_prefetch(service);
	service_read(service);
}

static void paths_ready(void *data, int fd, uint32_t events)
{
	struct service *service = data;
	(void)fd;
	(void)events;
	if (paths_touched(service->paths))
		files_touched(service);
}

static int paths_listen(struct service *service, struct error *error)
{
	return loop_add(service->loop, paths_fd(service->paths), EPOLLIN, paths_ready, service,
			error);
}

static void reload(struct service *service)
{
	log_write(&service->log, LEVEL_NOTICE, "SIGHUP: reading the files and the host again");
	notify("RELOADING=1\nMONOTONIC_USEC=%lld\n", (long long)clock_microseconds());
	service->content = 0;
	service_unread(service);
	retry_clear(service->retry);
	retry_clear(service->rate_credits);
	service_read(service);
	service_engines_reload(service);
	service_mark_stale(service);
}

static void signals_ready(void *data, int fd, uint32_t events)
{
	struct service *service = data;
	struct signalfd_siginfo signal;
	(void)events;
	while (read(fd, &signal, sizeof(signal)) == (ssize_t)sizeof(signal)) {
		if (signal.ssi_signo == SIGHUP) {
			reload(service);
			continue;
		}
		log_write(&service->log, LEVEL_NOTICE, "%s: stopping; the networks are kept",
			  signal.ssi_signo == SIGTERM ? "SIGTERM" : "SIGINT");
		loop_stop(service->loop);
	}
}

static int signals_listen(struct service *service, struct error *error)
{
	static const int signals[] = {SIGHUP, SIGTERM, SIGINT, 0};
	service->signals = signals_open(signals, error);
	if (service->signals < 0)
		return service->signals;
	return loop_add(service->loop, service->signals, EPOLLIN, signals_ready, service, error);
}

static void retry_timer_due(void *data)
{
	struct service *service = data;
	service_replan(service);
}

/* A set of another service may be available now. */
static void take_over_due(void *data)
{
	struct service *service = data;
	service->content = 0;
	service_unread(service);
	service_read(service);
}

static void clients_ready(void *data, int fd, uint32_t events)
{
	struct service *service = data;
	(void)fd;
	(void)events;
	loop_dispatch(service->clients);
}

static int clients_listen(struct service *service, struct error *error)
{
	service->clients = loop_new(error);
	return service->clients ? loop_add(service->loop, loop_fd(service->clients), EPOLLIN,
					   clients_ready, service, error)
				: -error->errnum;
}

static void watchdog_due(void *data)
{
	struct service *service = data;
	notify("WATCHDOG=1");
	loop_timer_set(service->loop, &service->watchdog, notify_watchdog_interval());
}

int service_listen(struct service *service, struct error *error)
{
	service->prefetched = (struct timer){.fire = paths_prefetch, .data = service};
	service->debounce = (struct timer){.fire = debounce_due, .data = service};
	service->retry_timer = (struct timer){.fire = retry_timer_due, .data = service};
	service->rate_limit_timer = (struct timer){.fire = rate_limit_due, .data = service};
	container_names_begin(service);
	service->take_over = (struct timer){.fire = take_over_due, .data = service};
	service->watchdog = (struct timer){.fire = watchdog_due, .data = service};
	service->loop = loop_new(error);
	if (!service->loop || signals_listen(service, error) < 0 ||
	    clients_listen(service, error) < 0)
		return -error->errnum;
	service->paths = paths_new(service->options->files, service->options->n_files, error);
	service->monitor = monitor_new(error);
	if (!service->paths || !service->monitor || paths_listen(service, error) < 0 ||
	    loop_add(service->loop, monitor_fd(service->monitor), EPOLLIN, monitor_ready, service,
		     error) < 0)
		return -error->errnum;
	service->mounts = mounts_new(service->loop, mounts_event, service, error);
	if (!service->mounts)
		return -error->errnum;
	loop_timer_set(service->loop, &service->watchdog, notify_watchdog_interval());
	return 0;
}

void service_close_events(struct service *service)
{
	mounts_free(service->mounts);
	monitor_free(service->monitor);
	paths_free(service->paths);
	if (service->signals > 0)
		close(service->signals);
	loop_free(service->clients);
	loop_free(service->loop);
}
