/* Finds, opens and enters network namespaces. */
#ifndef KERNEL_NETNS_H
#define KERNEL_NETNS_H

#include "kernel/netlink.h"
#include "lib/error.h"

#include <stdbool.h>
#include <sys/stat.h>

/* The handles of a live_ns. */
struct ns_handle {
	int fd;
	struct netlink *netlink; /* a socket in the namespace, or NULL: not opened yet */
};

struct ns_handle *ns_handle_new(int fd);
void ns_handle_free(struct ns_handle *handle);

/* Opens a path and verifies that it is a network namespace. Other files are not opened for reading,
 * so a FIFO or a device at the path has no effect. -EINVAL: not a network namespace. `flags`:
 * O_NOFOLLOW or 0. `own` identifies the device of nsfs, of which there is one (nsfs_init). Returns
 * a descriptor; *ret_stat is the namespace's identity. */
int netns_open_at(int directory, const char *path, int flags, const struct stat *own,
		  struct stat *ret_stat, struct error *error);
int netns_open(const char *path, const struct stat *own, struct stat *ret_stat,
	       struct error *error);
/* The network namespace of the thread. */
int netns_open_own(struct stat *ret_stat, struct error *error);
/* A new namespace, which goes when its last descriptor is closed. The thread stays in its own one.
 * Returns a descriptor. */
int netns_new(struct error *error);
/* A name in /run/netns. */
int netns_open_named(const char *name, const struct stat *own, struct stat *ret_stat,
		     struct error *error);

/* Whether a user namespace other than this process's owns it: then any user who can create user
 * namespaces may have created it. */
bool netns_of_other_user(int fd);

/* Whether the user created the user namespace that owns it, or an ancestor of that: a user has all
 * capabilities in those (user_namespaces(7)). This process's own user namespace does not count: it
 * is root's. `user` is an id in this process's user namespace. */
bool netns_owned_by(int fd, uid_t user);

/* Whether the path is that of a file directly in the directory, which ends with a slash. */
bool netns_path_is_in(const char *path, const char *directory);
bool netns_same(const struct stat *a, const struct stat *b);

/* Moves the thread into the namespace. netns_return does nothing if the thread never left its own
 * namespace, and ends the process if it fails: continuing in another namespace is worse. */
int netns_enter(int fd, struct error *error);
void netns_return(int fd);

/* A path of a namespace, and the inode of the namespace, which is known without opening it. */
struct netns_place {
	int directory; /* the folder that `path` is relative to */
	const char *path;
	ino_t inode;
	const char *name;  /* for display */
	const char *netns; /* the name in /run/netns or the path that a file can use; or NULL */
	bool process;      /* found through a process, not by a name */
};

/* Returns false if the caller may not open the namespace. */
typedef bool netns_visit(const struct netns_place *place, void *data);

/* The gaps in the results of netns_scan. */
struct netns_missed {
	size_t processes; /* unreadable processes, except those whose namespace another process has
			   */
	bool hidden;      /* there may be processes that /proc does not list */
	bool mounts;      /* the mount table cannot be read */
	bool no_descriptors; /* a descriptor limit caused the gaps */
};

struct netns_mounts;
/* Visits the mounted namespaces (kernel/netns_mounts.h; NULL: the mount table is read), then the
 * namespaces of all processes. The same namespace can be visited several times. */
struct netns_missed netns_scan(const struct netns_mounts *mounts, netns_visit *visit, void *data);

/* Visits the namespaces that processes have open, which may have no name and no process in them.
 * Reads every descriptor of the machine, up to 4,096 of a process and 262,144 in all. A namespace
 * that only a socket keeps is not found, since no other process can open it through the socket. */
void netns_scan_descriptors(netns_visit *visit, void *data);

#endif
