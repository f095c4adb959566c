#include "cmd/docker_plugin/address_memory.h"

#include "cmd/attach/other_addresses.h"
#include "kernel/netns.h"
#include "kernel/netns_ipv4.h"
#include "kernel/netns_mounts.h"
#include "kernel/nsid.h"
#include "kernel/rtnl_decode.h"
#include "kernel/rtnl_monitor.h"
#include "lib/cleanup.h"
#include "lib/hashmap.h"
#include "lib/memory.h"

#include <fcntl.h>
#include <linux/rtnetlink.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>

/* With more, nothing is remembered. */
#define ROWS_MAX 65536
/* That are read at once; with more, everything is read again. */
#define EVENTS_MAX 4096

/* Of each namespace one without an address (0), and one for each address. */
struct row {
	uint64_t inode;
	int32_t nsid; /* in the host's namespace, as events name it */
	uint32_t ipv4;
};

/* Shared by the workers; whoever has the lock of mvapply uses it (apply_lock). */
struct table {
	bool whole;     /* no worker has ended while it changed the table */
	bool complete;  /* every mounted namespace has rows */
	bool congested; /* the kernel may drop events without a notice */
	size_t count;
	struct row rows[ROWS_MAX];
};

static struct {
	struct table *table;
	struct monitor *monitor;
	int mounts; /* the mount table; poll(2) reports once that it has changed (mounts_poll) */
} memory;

static void table_forget(struct table *table)
{
	table->count = 0;
	table->complete = false;
}

static bool row_add(struct table *table, uint64_t inode, int nsid, uint32_t ipv4)
{
	if (table->count == ROWS_MAX)
		return false;
	table->rows[table->count++] = (struct row){inode, nsid, ipv4};
	return true;
}

/* The nsids of the namespaces that events name. */
struct changes {
	size_t count;
	int32_t nsids[EVENTS_MAX];
};

static void change_add(struct changes *changes, int nsid)
{
	const bool repeated = changes->count && changes->nsids[changes->count - 1] == nsid;
	if (!repeated && changes->count < EVENTS_MAX)
		changes->nsids[changes->count++] = nsid;
}

/* The kernel sends one message in a datagram: there are no more changes than datagrams. */
static void event_take(void *data, int nsid, const struct nlmsghdr *message, bool deleted)
{
	int destroyed;
	if (message->nlmsg_type == RTM_NEWADDR && nsid != MONITOR_HOST)
		change_add(data, nsid);
	if (message->nlmsg_type == RTM_NEWNSID && nsid == MONITOR_HOST && deleted &&
	    decode_nsid(message, &destroyed) == DECODED && destroyed >= 0)
		change_add(data, destroyed);
}

static int nsid_compare(const void *a, const void *b)
{
	const int32_t *left = a, *right = b;
	return *left < *right ? -1 : *left > *right;
}

/* One pass over the table, however many events a container causes. */
static void changes_forget(struct table *table, struct changes *changes)
{
	size_t kept = 0;
	qsort(changes->nsids, changes->count, sizeof(changes->nsids[0]), nsid_compare);
	for (size_t i = 0; i < table->count; i++)
		if (!bsearch(&table->rows[i].nsid, changes->nsids, changes->count,
			     sizeof(changes->nsids[0]), nsid_compare))
			table->rows[kept++] = table->rows[i];
	table->complete &= kept == table->count;
	table->count = kept;
}

/* Forgets the namespaces that have changed. After a loss the kernel drops events without a further
 * notice until the queue is empty (NETLINK_S_CONGESTED): what was read meanwhile is forgotten by
 * the next call. */
static void events_take(struct table *table)
{
	struct changes changes = {0};
	const int events = monitor_drain(memory.monitor, EVENTS_MAX, event_take, &changes);
	const bool lost = events < 0 || events == EVENTS_MAX;
	if (lost || table->congested)
		table_forget(table);
	else if (changes.count)
		changes_forget(table, &changes);
	table->congested = lost;
}

/* A namespace that is being read. */
struct reading {
	struct table *table;
	uint64_t inode;
	int nsid;
	bool full;
};

static void addr_take(void *data, const struct ip *ip)
{
	uint32_t ipv4;
	struct reading *reading = data;
	memcpy(&ipv4, ip->bytes, sizeof(ipv4));
	reading->full |= !row_add(reading->table, reading->inode, reading->nsid, ipv4);
}

/* The nsid comes before the addresses: from then on, the kernel reports changes of them. Returns
 * whether the namespace is remembered. */
static bool namespace_read(struct table *table, const struct netns_place *place,
			   const struct stat *host, struct netlink *netlink)
{
	struct stat stat;
	struct error ignored;
	struct reading reading = {.table = table};
	const size_t before = table->count;
	cleanup_close int fd =
		netns_open_at(place->directory, place->path, O_NOFOLLOW, host, &stat, &ignored);
	if (fd < 0 || stat.st_ino != place->inode ||
	    nsid_ensure(netlink, fd, &reading.nsid, &ignored) < 0)
		return false;
	reading.inode = stat.st_ino;
	if (row_add(table, reading.inode, reading.nsid, 0) &&
	    netns_ipv4_read(fd, addr_take, &reading) == 0 && !reading.full)
		return true;
	table->count = before;
	return false;
}

static struct index *inodes_index(const struct table *table)
{
	struct index *known = index_new(table->count);
	for (size_t i = 0; i < table->count; i++)
		(void)index_put(known, &table->rows[i].inode, sizeof(table->rows[i].inode),
				(void *)(uintptr_t)&table->rows[i]);
	return known;
}

/* Reads the namespaces that are not remembered. Those that cannot be read stay in the list. A
 * namespace can be mounted twice. */
static void mounts_read(struct table *table, struct netns_mounts *mounts, int host,
			const struct stat *own, struct netlink *netlink)
{
	size_t left = 0;
	struct index *known = inodes_index(table);
	for (size_t i = 0; i < mounts->count; i++) {
		const struct netns_place *place = &mounts->places[i];
		if (place->inode == own->st_ino ||
		    index_get(known, &place->inode, sizeof(place->inode)))
			continue;
		const size_t before = table->count;
		if (namespace_read(table, place, own, netlink))
			(void)index_put(known, &table->rows[before].inode, sizeof(place->inode),
					mounts);
		else
			mounts->places[left++] = *place;
	}
	mounts->count = left;
	index_free(known);
	netns_return(host);
}

/* NULL: the mount table cannot be read. A namespace of the mount table may have the inode of one
 * that was destroyed before; the kernel has reported that (cleanup_net). */
static struct netns_mounts *table_complete(struct table *table)
{
	struct stat own;
	struct error ignored;
	cleanup_close int host = netns_open_own(&own, &ignored);
	struct netlink *netlink = host < 0 ? NULL : netlink_open(&ignored);
	struct netns_mounts *mounts = netlink ? netns_mounts_read_own() : NULL;
	if (mounts) {
		events_take(table);
		mounts_read(table, mounts, host, &own, netlink);
	}
	netlink_close(netlink);
	return mounts;
}

static bool mounts_changed(void)
{
	struct pollfd poller = {.fd = memory.mounts, .events = POLLPRI};
	return poll(&poller, 1, 0) != 0;
}

/* Brings the table up to date. Returns the mounted namespaces that it lacks, or NULL. */
static struct netns_mounts *table_update(struct table *table)
{
	events_take(table);
	/* Polled in any case: the table is read after that. */
	if (!mounts_changed() && table->complete) {
		struct netns_mounts *none = memory_new(1, sizeof(*none));
		none->arena = arena_new();
		return none;
	}
	table->complete = false;
	struct netns_mounts *mounts = table_complete(table);
	table->complete = mounts && mounts->count == 0;
	return mounts;
}

static struct service_entry row_entry(const struct row *row, const struct prefix *prefix)
{
	struct ip ip = {.family = AF_INET};
	memcpy(ip.bytes, &row->ipv4, sizeof(row->ipv4));
	if (!row->ipv4 || !prefix_contains(prefix, &ip))
		ip = (struct ip){0};
	return service_entry_of(row->inode, &ip);
}

static void memory_query(const struct prefix *prefix, struct service_addresses *ret)
{
	struct table *table = memory.table;
	if (!table->whole)
		table_forget(table);
	table->whole = false;
	struct netns_mounts *mounts = table_update(table);
	table->whole = true;
	struct service_entry *entries = memory_new(table->count + 1, sizeof(*entries));
	for (size_t i = 0; i < table->count; i++)
		entries[i] = row_entry(&table->rows[i], prefix);
	qsort(entries, table->count, sizeof(*entries), service_entry_compare);
	*ret = (struct service_addresses){.message = (char *)entries,
					  .entries = entries,
					  .n_entries = table->count,
					  .open = true, /* the declared ones are not known */
					  .mounts = mounts};
}

void address_memory_open(void)
{
	struct error ignored;
	void *shared = mmap(NULL, sizeof(*memory.table), PROT_READ | PROT_WRITE,
			    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	memory.mounts = netns_mounts_open();
	memory.monitor = monitor_new_addresses(&ignored);
	if (shared == MAP_FAILED || memory.mounts < 0 || !memory.monitor)
		return;
	memory.table = shared;
	other_addresses_source_set(memory_query);
}
