#include "reconcile/observe/observe.h"

#include "lib/cleanup.h"
#include "lib/file_text.h"
#include "lib/thread_pool.h"
#include "reconcile/observe/features.h"
#include "reconcile/observe/internal.h"
#include "reconcile/observe/namespace.h"
#include "reconcile/observe/netns_unnamed.h"
#include "reconcile/observe/reservations.h"
#include "reconcile/observe/resolv_conf_files.h"
#include "reconcile/observe/unaccounted_links.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

/* Known from an earlier observation, but changed. */
static bool namespace_is_lost(const struct live_ns *ns)
{
	return ns->stale && !ns->handle;
}

static bool place_visit(const struct netns_place *place, void *data)
{
	struct observer *observer = data;
	struct stat stat;
	struct error error;
	const uint64_t inode = place->inode;
	const size_t known = *namespace_slot(observer, place->inode);
	if (observer->known && index_get(observer->known, &inode, sizeof(inode)))
		return true;
	if (known && !namespace_is_lost(observer->namespaces[known - 1].ns)) {
		if (!observer->namespaces[known - 1].ns->source)
			namespace_source(observer->namespaces[known - 1].ns, place->netns);
		return true;
	}
	int fd = netns_open_at(place->directory, place->path, place->process ? 0 : O_NOFOLLOW,
			       &observer->host, &stat, &error);
	if (fd >= 0) {
		const bool user_made = place->process && netns_of_other_user(fd);
		struct namespace *namespace = namespace_of(observer, fd, &stat, place->name);
		namespace->process = place->process;
		namespace->ns->by_process = place->process;
		namespace->ns->user_made = user_made;
		namespace_source(namespace->ns, place->netns);
		return true;
	}
	/* Destroyed meanwhile, or hidden by another mount. */
	if (fd == -ENOENT || fd == -ESRCH || fd == -EINVAL || fd == -ENOTDIR || fd == -ELOOP)
		return true;
	if (place->process && (fd == -EACCES || fd == -EPERM))
		return false;
	if (fd == -EMFILE || fd == -ENFILE)
		observer->no_descriptors = true;
	else if (observer->everything || !place->process)
		unreadable_add_namespace(observer, place->inode, place->name, &error);
	return true;
}

static void processes_report(struct observer *observer, size_t count)
{
	char text[128];
	snprintf(text, sizeof(text), "the network namespaces of %zu process%s: %s", count,
		 count == 1 ? "" : "es", strerror(EACCES));
	unreadable_add(
		observer,
		&(struct unreadable){.kind = UNREADABLE_PROCESSES, .errnum = EACCES, .text = text});
}

static void others_find(struct observer *observer)
{
	const struct netns_missed missed = netns_scan(observer->mounts, place_visit, observer);
	observer->no_descriptors |= missed.no_descriptors;
	if (missed.mounts && !missed.no_descriptors)
		unreadable_add(
			observer,
			&(struct unreadable){
				.kind = UNREADABLE_MOUNTS,
				.text = "the mounted network namespaces: /proc/self/mountinfo "
					"cannot be read"});
	if (missed.hidden && !missed.no_descriptors && observer->everything)
		unreadable_add(
			observer,
			&(struct unreadable){
				.kind = UNREADABLE_HIDDEN,
				.text = "the network namespaces of processes that /proc hides "
					"(mount option hidepid)"});
	if (missed.processes && observer->everything)
		processes_report(observer, missed.processes);
}

/* Namespaces that are no container's any more, and that may persist. */
static void unnamed_find(struct observer *observer)
{
	struct live_ns **namespaces = NULL;
	size_t count = 0;
	for (size_t i = 1; i < observer->n_namespaces; i++) {
		const struct namespace *namespace = &observer->namespaces[i];
		if (namespace_is_lost(namespace->ns) && !namespace->ns->dead &&
		    namespace->lookup == NOBODY)
			*array_push(observer->scratch, namespaces, count) = namespace->ns;
	}
	if (count)
		unnamed_open(namespaces, count, &observer->host,
			     observer->namespaces[0].ns->handle->netlink);
}

static bool holds_host_links(const struct live_ns *ns)
{
	for (size_t i = 0; i < ns->n_links; i++)
		if (ns->links[i].parent_where == PARENT_HOST)
			return true;
	return false;
}

static bool has_owner_tags(const struct live_ns *ns)
{
	for (size_t i = 0; i < ns->n_links; i++)
		if (role_in_container(ns->links[i].tag.role))
			return true;
	return false;
}

/* Moves the relevant namespaces to the result, and releases the others: most namespaces of a
 * machine have no links on the host's links. */
static void namespaces_finish(struct observer *observer)
{
	struct live *live = observer->live;
	for (size_t i = 0; i < observer->n_namespaces; i++) {
		const struct namespace *namespace = &observer->namespaces[i];
		const bool readable = !namespace->ns->stale || namespace->ns->handle;
		if (namespace->ns->host || namespace->kept || namespace->lookup != NOBODY ||
		    (readable && holds_host_links(namespace->ns)) ||
		    (observer->owner_tags && has_owner_tags(namespace->ns)))
			*array_push(live->arena, live->namespaces, live->n_namespaces) =
				namespace->ns;
		else
			namespace_free(namespace->ns);
	}
}

static bool user_namespace_initial(void)
{
	unsigned inside, outside, count;
	cleanup_free char *map = file_text("/proc/self/uid_map");
	if (!map)
		return true;
	return sscanf(map, "%u %u %u", &inside, &outside, &count) == 3 && inside == 0 &&
	       outside == 0 && count == UINT32_MAX;
}

bool observe_everything(void)
{
	return geteuid() != 0 || user_namespace_initial();
}

const char *descriptors_short(struct arena *arena)
{
	struct rlimit limit = {0};
	(void)getrlimit(RLIMIT_NOFILE, &limit);
	return arena_printf(
		arena,
		"network namespaces: too many open files (limit %ju): raise the limit with "
		"LimitNOFILE= in the unit, or `ulimit -Hn`",
		(uintmax_t)limit.rlim_cur);
}

/* One entry for everything that could not be opened, including containers' namespaces. */
static void no_descriptors_report(struct observer *observer)
{
	for (size_t i = 0; i < observer->live->n_containers; i++)
		observer->no_descriptors |=
			observer->live->container_lookups[i].code == CODE_DESCRIPTORS;
	if (!observer->no_descriptors)
		return;
	unreadable_add(observer,
		       &(struct unreadable){.kind = UNREADABLE_DESCRIPTORS,
					    .errnum = EMFILE,
					    .text = descriptors_short(observer->live->arena)});
}

/* Routes in the host's namespace are needed only for networks with host access. */
static bool has_host_access(const struct network *network)
{
	return network->host.enabled;
}

/* A continued observation reads only the host's routes that planning needs: a routing daemon may
 * have 100,000, and each change of the parent triggers an observation. */
static void routes_choose(struct observer *observer, const struct desired *desired)
{
	struct live_ns *host = observer->before->namespaces[0];
	observer->own_routes = !desired_any_network(desired, has_host_access);
	host->stale |= host->own_routes && !observer->own_routes;
}

/* The earlier observation keeps the host's namespace open: there may be no descriptor left to open
 * it again. */
static int host_open(struct observer *observer, struct error *error)
{
	const struct live_ns *host = observer->before ? observer->before->namespaces[0] : NULL;
	if (host) {
		observer->host.st_dev = host->device;
		observer->host.st_ino = host->inode;
		return 0;
	}
	int fd = netns_open_own(&observer->host, error);
	if (fd < 0)
		return fd;
	namespace_of(observer, fd, &observer->host, "the host")->ns->host = true;
	return 0;
}

/* `wide`: namespaces without an nsid cause no events. */
static void namespaces_take_over(struct observer *observer, bool wide)
{
	for (size_t i = 0; i < observer->before->n_namespaces; i++) {
		struct live_ns *ns = observer->before->namespaces[i];
		ns->stale |= wide && !ns->host && ns->nsid < 0;
		namespace_add(observer, ns);
	}
}

/* An unreadable part is not read again. */
static void unreadable_keep(struct observer *observer)
{
	const struct live *before = observer->before;
	for (size_t i = 0; i < before->n_unreadable; i++)
		if (before->unreadable[i].kind == UNREADABLE_DESCRIPTORS)
			observer->no_descriptors = true;
		else
			unreadable_add(observer, &before->unreadable[i]);
}

static struct live *live_new(void)
{
	struct arena *arena = arena_new();
	struct live *live = arena_alloc(arena, sizeof(*live));
	live->arena = arena;
	return live;
}

/* The observer owns the namespaces of `before` from the start: it frees them or passes them on. */
static struct live *observe_all(struct live *before, const struct desired *desired,
				struct lookups *lookups, bool wide, struct error *error)
{
	struct arena *scratch __attribute__((cleanup(arena_cleanup))) = arena_new();
	struct live *live = live_new();
	struct observer observer = {.scratch = scratch,
				    .live = live,
				    .before = before,
				    .lookups = lookups,
				    .everything = observe_everything()};
	namespaces_grow(&observer);
	if (before) {
		namespaces_take_over(&observer, wide);
		routes_choose(&observer, desired);
	}
	live->addr_proto = before && before->addr_proto;

	int status = host_open(&observer, error);
	if (status == 0) {
		container_lookups_find(&observer, desired);
		if (before)
			containers_name(&observer);
		if (wide)
			others_find(&observer);
		else
			unreadable_keep(&observer);
		if (before)
			unnamed_find(&observer);
		status = namespaces_read(&observer, error);
		if (status == 0 && containers_find_attached(&observer, desired))
			status = namespaces_read(&observer, error);
		no_descriptors_report(&observer);
	}
	namespaces_finish(&observer);
	if (status == 0)
		status = features_read(live, before, desired, error);
	if (before)
		arena_free(before->arena);
	resolv_conf_files_observe(live, desired);
	live_containers_link(live);
	if (status == 0) {
		reservations_observe(live);
		return live;
	}
	error_prepend(error, "cannot read the host's network");
	live_free(live);
	return NULL;
}

static struct live *observed(struct observer *observer, int status)
{
	namespaces_finish(observer);
	if (status == 0)
		return observer->live;
	live_free(observer->live);
	return NULL;
}

struct live *observe_owner_tags(const struct index *known, struct error *error)
{
	const struct desired nothing = {0};
	struct arena *scratch __attribute__((cleanup(arena_cleanup))) = arena_new();
	struct observer observer = {
		.scratch = scratch, .live = live_new(), .owner_tags = true, .known = known};
	namespaces_grow(&observer);
	int status = host_open(&observer, error);
	if (status == 0) {
		container_lookups_find(&observer, &nothing);
		others_find(&observer);
		status = namespaces_read(&observer, error);
	}
	return observed(&observer, status);
}

struct live *observe_containers(const struct desired *desired, const struct containers *containers,
				struct lookups *lookups, struct error *error)
{
	struct arena *scratch __attribute__((cleanup(arena_cleanup))) = arena_new();
	struct observer observer = {
		.scratch = scratch, .live = live_new(), .lookups = lookups, .only = containers};
	namespaces_grow(&observer);
	observer.own_routes = !desired_any_network(desired, has_host_access);
	int status = host_open(&observer, error);
	if (status == 0) {
		container_lookups_find(&observer, desired);
		status = namespaces_read(&observer, error);
	}
	struct live *live = observed(&observer, status);
	if (live)
		reservations_observe(live);
	if (!live || features_read(live, NULL, desired, error) == 0)
		return live;
	live_free(live);
	return NULL;
}

struct live *observe(const struct desired *desired, struct lookups *lookups, struct error *error)
{
	return observe_all(NULL, desired, lookups, true, error);
}

/* Keeps the relevant ones of the added namespaces. */
static bool added_finish(struct observer *observer, size_t known)
{
	struct live *live = observer->live;
	const size_t before = live->n_namespaces;
	for (size_t i = known; i < observer->n_namespaces; i++) {
		struct live_ns *ns = observer->namespaces[i].ns;
		if (!ns->stale && holds_host_links(ns))
			*array_push(live->arena, live->namespaces, live->n_namespaces) = ns;
		else
			namespace_free(ns);
	}
	return live->n_namespaces > before;
}

/* Of a state to which namespaces are to be added. */
static struct observer observer_of(struct live *live, struct arena *scratch)
{
	struct observer observer = {.scratch = scratch,
				    .live = live,
				    .host = {.st_dev = live->namespaces[0]->device,
					     .st_ino = live->namespaces[0]->inode},
				    .everything = observe_everything()};
	namespaces_grow(&observer);
	for (size_t i = 0; i < live->n_namespaces; i++)
		namespace_add(&observer, live->namespaces[i]);
	return observer;
}

/* Reads what was found. */
static bool added_read(struct observer *observer)
{
	struct error ignored;
	const size_t known = observer->live->n_namespaces;
	if (observer->n_namespaces == known)
		return false;
	(void)namespaces_read(observer, &ignored);
	return added_finish(observer, known);
}

bool observe_descriptors(struct live *live)
{
	if (!links_unaccounted_here(live))
		return false;
	struct arena *scratch __attribute__((cleanup(arena_cleanup))) = arena_new();
	struct observer observer = observer_of(live, scratch);
	netns_scan_descriptors(place_visit, &observer);
	return added_read(&observer);
}

bool observe_knows_all(struct live *live, const struct netns_mounts *mounts)
{
	const size_t n_unreadable = live->n_unreadable;
	for (size_t i = 1; i < live->n_namespaces; i++)
		if (live->namespaces[i]->stale || live->namespaces[i]->nsid < 0)
			return false;
	struct arena *scratch __attribute__((cleanup(arena_cleanup))) = arena_new();
	struct observer observer = observer_of(live, scratch);
	observer.mounts = mounts;
	others_find(&observer);
	const bool added = added_read(&observer);
	return !added && !observer.no_descriptors && live->n_unreadable == n_unreadable;
}

struct live *observe_stale(struct live *before, const struct desired *desired,
			   struct lookups *lookups, struct error *error)
{
	return observe_all(before, desired, lookups, false, error);
}

struct live *observe_widely(struct live *before, const struct desired *desired,
			    struct lookups *lookups, struct error *error)
{
	return observe_all(before, desired, lookups, true, error);
}

static int namespaces_share(struct observer *observer, const struct live *before,
			    struct error *error)
{
	for (size_t i = 1; i < before->n_namespaces; i++) {
		const struct live_ns *ns = before->namespaces[i];
		const struct stat stat = {.st_dev = ns->device, .st_ino = ns->inode};
		int fd = fcntl(ns->handle->fd, F_DUPFD_CLOEXEC, 0);
		if (fd < 0)
			return error_set(error, errno, "namespace %s: %s", ns->name,
					 strerror(errno));
		namespace_of(observer, fd, &stat, ns->name)->kept = true;
	}
	return 0;
}

static void containers_share(struct observer *observer, const struct live *before)
{
	struct live *live = observer->live;
	observer->next_container =
		arena_alloc(observer->scratch, before->n_containers * sizeof(size_t));
	for (size_t i = 0; i < before->n_containers; i++) {
		struct container_lookup *lookup =
			array_push(live->arena, live->container_lookups, live->n_containers);
		lookup->container = before->container_lookups[i].container;
		if (before->container_lookups[i].stale)
			container_locate(observer, lookup, NULL);
		else
			container_keep(observer, lookup, &before->container_lookups[i]);
	}
}

struct live *observe_second(const struct live *before, struct lookups *lookups, struct error *error)
{
	struct arena *scratch __attribute__((cleanup(arena_cleanup))) = arena_new();
	struct observer observer = {.scratch = scratch,
				    .live = live_new(),
				    .lookups = lookups,
				    .everything = observe_everything()};
	namespaces_grow(&observer);
	int status = host_open(&observer, error);
	if (status == 0)
		status = namespaces_share(&observer, before, error);
	if (status == 0) {
		containers_share(&observer, before);
		others_find(&observer);
		status = namespaces_read(&observer, error);
	}
	struct live *live = observed(&observer, status);
	if (!live)
		error_prepend(error, "cannot read the host's network");
	return live;
}
