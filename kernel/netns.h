/* Network namespaces: finding, holding and entering them. */
#ifndef KERNEL_NETNS_H
#define KERNEL_NETNS_H

#include "kernel/netlink.h"
#include "lib/error.h"

#include <stdbool.h>
#include <sys/stat.h>

/* What a live_ns is held by. */
struct ns_handle {
	int fd;
	struct netlink *netlink; /* a socket inside, or NULL: not opened yet */
};

struct ns_handle *ns_handle_new(int fd);
void ns_handle_free(struct ns_handle *handle);

/* Opens what is intended to be a network namespace, and proves that it is one; nothing else is
 * opened for reading, so that a FIFO or a device in its place does no harm. -EINVAL: it is not one.
 * `flags`: O_NOFOLLOW or 0. `own` says what device nsfs has, of which there is one (nsfs_init).
 * Returns a descriptor; *ret_stat is the namespace's identity. */
int netns_open_at(int directory, const char *path, int flags, const struct stat *own,
		  struct stat *ret_stat, struct error *error);
int netns_open(const char *path, const struct stat *own, struct stat *ret_stat,
	       struct error *error);
/* The one that the thread is in. */
int netns_open_own(struct stat *ret_stat, struct error *error);
/* A name in /run/netns. */
int netns_open_named(const char *name, const struct stat *own, struct stat *ret_stat,
		     struct error *error);

/* Whether another user namespace than this process's owns it: then anybody who can create user
 * namespaces may have created it. */
bool netns_of_other_user(int fd);

/* Whether the user made the user namespace that owns it, or one around that: a user has all
 * capabilities over those (user_namespaces(7)). That of this process does not count: it is root's.
 * `user` is in its terms. */
bool netns_owned_by(int fd, uid_t user);

bool netns_same(const struct stat *a, const struct stat *b);

/* Moves the thread into the namespace. netns_return does nothing if the thread never left, and ends
 * the process if it fails: continuing in another namespace is worse. */
int netns_enter(int fd, struct error *error);
void netns_return(int fd);

/* A place where a namespace may be had, with its identity as far as it is known without opening
 * it: the inode. */
struct netns_place {
	int directory; /* `path` is relative to */
	const char *path;
	ino_t inode;
	const char *name;  /* for people */
	const char *netns; /* as a file can name it: a name in /run/netns, or a path; or NULL */
	bool process;      /* found by a process, not by a name */
};

typedef void netns_visit(const struct netns_place *place, void *data);

/* What netns_scan could not find out. */
struct netns_missed {
	size_t processes; /* that may not be read, without those whose namespace another has */
	bool hidden;      /* there may be processes that /proc does not list */
	bool mounts;      /* the mount table cannot be read */
	bool starved;     /* either for want of a descriptor */
};

/* Visits the places of all that are mounted, first those with names (/run/netns), then Docker's
 * sandboxes, then others, each in byte order; and then those of all processes; the same namespace
 * may come up often. */
struct netns_missed netns_scan(netns_visit *visit, void *data);

/* Visits the namespaces that processes have open, which may be nobody's own and have no name. Reads
 * every descriptor of the machine, up to 4,096 of a process and 262,144 in all. A namespace that is
 * held by a socket alone is not found: only the socket leads there, and it is its process's. */
void netns_scan_descriptors(netns_visit *visit, void *data);

#endif
