#include "cmd/attach/other_addresses.h"

#include "kernel/netns.h"
#include "kernel/netns_ipv4.h"
#include "lib/capability.h"
#include "lib/cleanup.h"
#include "lib/hashmap.h"
#include "lib/thread_pool.h"
#include "reconcile/observe/observe.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <string.h>

/* With fewer namespaces, starting threads takes longer than reading. */
#define THREADS_FROM 16

/* A named namespace to read. */
struct named {
	const char *path;
	uint64_t inode;
	int status; /* 0: it has no address in the prefix; or a negative errno */
};

struct search {
	struct arena *arena;
	const struct prefix *prefix;
	struct stat host;
	const struct service_addresses *known;
	struct index *seen;  /* inodes, 64 bits each */
	struct named *named; /* to be read, before the namespaces of processes */
	size_t n_named;
	bool everything; /* a process that cannot be read counts */
	bool failed;     /* a namespace has an address in the prefix, or could not be read */
};

struct comparison {
	const struct prefix *prefix;
	bool found;
};

static void addr_compare(void *data, const struct ip *ip)
{
	struct comparison *comparison = data;
	comparison->found |= prefix_contains(comparison->prefix, ip);
}

/* -EADDRINUSE: it has an address in the prefix. */
static int addresses_compare(const struct prefix *prefix, int fd)
{
	struct comparison comparison = {.prefix = prefix};
	const int status = netns_ipv4_read(fd, addr_compare, &comparison);
	return status == 0 && comparison.found ? -EADDRINUSE : status;
}

/* Destroyed meanwhile, or hidden by another mount. */
static bool is_gone(int status)
{
	return status == -ENOENT || status == -ESRCH || status == -EINVAL || status == -ENOTDIR ||
	       status == -ELOOP;
}

static void seen_add(struct search *search, uint64_t *inode)
{
	(void)index_put(search->seen, inode, sizeof(*inode), inode);
}

struct named_job {
	const struct search *search;
	struct named *named;
};

/* Threads share no other variable data. */
static void named_read(void *data, size_t number)
{
	const struct named_job *job = data;
	struct named *named = &job->named[number];
	struct stat stat;
	struct error ignored;
	cleanup_close int fd = netns_open_at(AT_FDCWD, named->path, O_NOFOLLOW, &job->search->host,
					     &stat, &ignored);
	const int status = fd < 0 ? fd : addresses_compare(job->search->prefix, fd);
	named->status = fd >= 0 && is_gone(status) ? -EIO : status;
}

static void named_finish(struct search *search)
{
	struct named_job job = {.search = search, .named = search->named};
	pool_run(search->n_named, search->n_named < THREADS_FROM ? 1 : pool_processors(),
		 named_read, &job);
	for (size_t i = 0; i < search->n_named; i++) {
		struct named *named = &search->named[i];
		search->failed |= named->status < 0 && !is_gone(named->status);
		if (named->status == 0)
			seen_add(search, &named->inode);
	}
	search->named = NULL;
	search->n_named = 0;
}

static bool process_read(struct search *search, const struct netns_place *place)
{
	struct stat stat;
	struct error ignored;
	cleanup_close int fd =
		netns_open_at(place->directory, place->path, 0, &search->host, &stat, &ignored);
	if (fd == -EACCES || fd == -EPERM)
		return false;
	if (fd < 0 || addresses_compare(search->prefix, fd) < 0) {
		search->failed |= fd >= 0 || (!is_gone(fd) && search->everything);
		return true;
	}
	uint64_t *inode = arena_alloc(search->arena, sizeof(*inode));
	*inode = place->inode;
	seen_add(search, inode);
	return true;
}

/* Places are sorted: a mount is listed twice where it was propagated. */
static bool is_listed(const struct search *search, uint64_t inode)
{
	return (search->n_named && search->named[search->n_named - 1].inode == inode) ||
	       service_addresses_have(search->known, inode) ||
	       index_get(search->seen, &inode, sizeof(inode));
}

/* Named namespaces come first. */
static bool place_visit(const struct netns_place *place, void *data)
{
	struct search *search = data;
	if (place->process && search->n_named)
		named_finish(search);
	if (search->failed || place->inode == search->host.st_ino ||
	    is_listed(search, place->inode))
		return true;
	if (place->process)
		return process_read(search, place);
	*array_push(search->arena, search->named, search->n_named) = (struct named){
		.path = arena_strdup(search->arena, place->path), .inode = place->inode};
	return true;
}

static void entries_take(const struct service_entry *entries, size_t count, struct arena *arena,
			 struct other_addresses *addresses)
{
	for (size_t i = 0; i < count; i++) {
		struct ip ip = {.family = entries[i].family};
		memcpy(ip.bytes, entries[i].address, sizeof(ip.bytes));
		if (ip.family)
			*array_push(arena, addresses->items, addresses->count) = ip;
	}
}

/* Without a service, most containers have an address in a prefix of several. */
static bool answer_suffices(const struct service_addresses *known,
			    const struct address_search *what)
{
	const struct prefix *prefix = &what->prefix;
	if (what->declared && (!known->n_entries || known->open))
		return false;
	return known->n_entries || prefix->len == ip_bits(&prefix->ip);
}

/* Without CAP_SYS_PTRACE, which the unit of Docker's plugin lacks, an observation of everything
 * would miss the same processes: containers of all engines are such. */
static bool processes_matter(const struct netns_missed *missed)
{
	return (missed->processes || missed->hidden) && observe_everything() &&
	       capabilities_effective() & CAPABILITY_BIT(CAP_SYS_PTRACE);
}

static other_addresses_source *own_source;

void other_addresses_source_set(other_addresses_source *source)
{
	own_source = source;
}

static void addresses_query(const struct address_search *what, struct service_addresses *ret)
{
	service_query_addresses(what->set, &what->prefix, ret);
	if (ret->n_entries || !own_source)
		return;
	service_addresses_free(ret);
	own_source(&what->prefix, ret);
}

bool other_addresses_find(const struct live *live, const struct address_search *what,
			  struct arena *arena, struct other_addresses *addresses)
{
	const struct live_ns *host = live->namespaces[0];
	__attribute__((cleanup(service_addresses_free))) struct service_addresses known;
	addresses_query(what, &known);
	if (!answer_suffices(&known, what))
		return false;
	struct search search = {.arena = arena,
				.prefix = &what->prefix,
				.host = {.st_dev = host->device, .st_ino = host->inode},
				.known = &known,
				.seen = index_new(0),
				.everything = observe_everything()};
	entries_take(known.entries, known.n_entries, arena, addresses);
	if (what->declared)
		entries_take(known.declared, known.n_declared, arena, addresses);
	const struct netns_missed missed = netns_scan(known.mounts, place_visit, &search);
	named_finish(&search);
	index_free(search.seen);
	netns_return(host->handle->fd);
	return !search.failed && !missed.mounts && !missed.no_descriptors &&
	       !processes_matter(&missed);
}
