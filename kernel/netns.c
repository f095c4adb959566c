#include "kernel/netns.h"

#include "lib/cleanup.h"
#include "lib/journal.h"
#include "lib/memory.h"
#include "lib/thread_pool.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/nsfs.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/vfs.h>
#include <unistd.h>

struct ns_handle *ns_handle_new(int fd)
{
	struct ns_handle *handle = memory_new(1, sizeof(*handle));
	handle->fd = fd;
	return handle;
}

void ns_handle_free(struct ns_handle *handle)
{
	if (!handle)
		return;
	netlink_close(handle->netlink);
	close(handle->fd);
	free(handle);
}

static int not_netns(struct error *error, const char *path, const char *rather)
{
	error_set(error, EINVAL, "%s is %snot a network namespace", path, rather);
	error_hint(
		error,
		"`ip netns` lists named namespaces; /proc/PID/ns/net is the namespace of a process");
	return error_code(error, CODE_NAMESPACE);
}

/* `ip netns` and the engines create an empty file before they mount the namespace over it, and
 * leave it for a moment after they unmount it. */
static int namespace_missing(const struct stat *found, const char *path, struct error *error)
{
	if (S_ISREG(found->st_mode) && found->st_size == 0)
		return error_set(error, ENOENT, "%s: nothing is mounted there", path);
	return not_netns(error, path, S_ISLNK(found->st_mode) ? "a symbolic link, " : "");
}

/* Reopens a descriptor that only names the file (O_PATH) as one that keeps the namespace. */
static int namespace_reopen(int path_fd, const char *path, struct error *error)
{
	char self[64];
	snprintf(self, sizeof(self), "/proc/self/fd/%d", path_fd);
	cleanup_close int fd = open(self, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return error_set(error, errno, "%s: %s", path, strerror(errno));
	if (ioctl(fd, NS_GET_NSTYPE) != CLONE_NEWNET)
		return not_netns(error, path, "a namespace, but ");
	return fd_steal(&fd);
}

static int path_open(int directory, const char *path, int flags, struct stat *ret_stat,
		     struct error *error)
{
	cleanup_close int fd = openat(directory, path, O_PATH | O_CLOEXEC | flags);
	if (fd < 0 || fstat(fd, ret_stat) < 0)
		return error_set(error, errno, "%s: %s", path, strerror(errno));
	return fd_steal(&fd);
}

bool netns_of_other_user(int fd)
{
	struct stat owner, own;
	cleanup_close const int owner_fd = ioctl(fd, NS_GET_USERNS);
	return owner_fd >= 0 && fstat(owner_fd, &owner) == 0 &&
	       stat("/proc/self/ns/user", &own) == 0 && !netns_same(&owner, &own);
}

/* The kernel's nesting limit (create_user_ns). */
#define USER_NAMESPACES_MAX 33

/* Whether the user namespace is no descendant of this process's user namespace. */
static bool is_outside(int userns)
{
	struct stat found, own;
	return userns < 0 || fstat(userns, &found) < 0 || stat("/proc/self/ns/user", &own) < 0 ||
	       netns_same(&found, &own);
}

bool netns_owned_by(int fd, uid_t user)
{
	bool managed = false;
	int userns = ioctl(fd, NS_GET_USERNS);
	for (unsigned i = 0; !managed && !is_outside(userns) && i < USER_NAMESPACES_MAX; i++) {
		uid_t owner;
		managed = ioctl(userns, NS_GET_OWNER_UID, &owner) == 0 && owner == user;
		const int around = ioctl(userns, NS_GET_USERNS);
		close(userns);
		userns = around;
	}
	if (userns >= 0)
		close(userns);
	return managed;
}

/* Some kernels (5.10) follow a link of /proc/PID/ns whose process may not be traced to the folder
 * of the link, in place of EACCES (proc_ns_get_link). The link is empty then. */
static bool link_denied(int directory, const char *path)
{
	char target;
	return readlinkat(directory, path, &target, sizeof(target)) == 0;
}

bool netns_path_is_in(const char *path, const char *directory)
{
	const size_t length = strlen(directory);
	return strncmp(path, directory, length) == 0 && !strchr(path + length, '/');
}

/* Directories in which root alone creates files. */
static bool is_in_roots_directory(const char *path)
{
	static const char *const directories[] = {"/run/netns/", "/var/run/netns/",
						  "/run/docker/netns/"};
	for (size_t i = 0; i < sizeof(directories) / sizeof(directories[0]); i++)
		if (netns_path_is_in(path, directories[i]))
			return true;
	return false;
}

/* As `ip netns` opens it: without a descriptor that only names the file first, which protects from
 * what the owner of a directory puts in place of a namespace. Negative: it is none, or cannot be
 * opened, or would leave no descriptor for a socket in it. */
static int plain_open(const char *path, const struct stat *own, struct stat *ret_stat)
{
	cleanup_close int fd =
		open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
	if (fd < 0 || pool_is_last_descriptor(fd) || fstat(fd, ret_stat) < 0 ||
	    ret_stat->st_dev != own->st_dev || ioctl(fd, NS_GET_NSTYPE) != CLONE_NEWNET)
		return -1;
	return fd_steal(&fd);
}

int netns_open_at(int directory, const char *path, int flags, const struct stat *own,
		  struct stat *ret_stat, struct error *error)
{
	const int plain = flags & O_NOFOLLOW && is_in_roots_directory(path)
				  ? plain_open(path, own, ret_stat)
				  : -1;
	if (plain >= 0)
		return plain;
	cleanup_close int path_fd = path_open(directory, path, flags, ret_stat, error);
	if (path_fd < 0)
		return path_fd;
	if (ret_stat->st_dev == own->st_dev)
		return namespace_reopen(path_fd, path, error);
	return link_denied(directory, path)
		       ? error_set(error, EACCES, "%s: %s", path, strerror(EACCES))
		       : namespace_missing(ret_stat, path, error);
}

int netns_open(const char *path, const struct stat *own, struct stat *ret_stat, struct error *error)
{
	return netns_open_at(AT_FDCWD, path, 0, own, ret_stat, error);
}

#define OWN_PATH "/proc/thread-self/ns/net"

int netns_open_own(struct stat *ret_stat, struct error *error)
{
	struct statfs filesystem;
	cleanup_close int fd = path_open(AT_FDCWD, OWN_PATH, 0, ret_stat, error);
	if (fd < 0) {
		error_hint(error, "check that /proc is mounted: `mount -t proc proc /proc`");
		return fd;
	}
	if (fstatfs(fd, &filesystem) < 0 || filesystem.f_type != NSFS_MAGIC)
		return error_set(error, EINVAL,
				 OWN_PATH " is not a namespace: check that /proc is mounted");
	return namespace_reopen(fd, OWN_PATH, error);
}

static const char *const named_directories[] = {"/run/netns", "/var/run/netns"};

int netns_open_named(const char *name, const struct stat *own, struct stat *ret_stat,
		     struct error *error)
{
	int fd = error_set(error, ENOENT, "%s: %s", name, strerror(ENOENT));
	for (size_t i = 0; i < 2 && fd == -ENOENT; i++) {
		char path[4096];
		snprintf(path, sizeof(path), "%s/%s", named_directories[i], name);
		fd = netns_open_at(AT_FDCWD, path, O_NOFOLLOW, own, ret_stat, error);
	}
	return fd;
}

bool netns_same(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

/* The thread has left its initial namespace. */
static _Thread_local bool away;

int netns_enter(int fd, struct error *error)
{
	if (setns(fd, CLONE_NEWNET) < 0)
		return error_set(error, errno, "cannot enter the network namespace: %s",
				 strerror(errno));
	away = true;
	return 0;
}

void netns_return(int fd)
{
	if (!away || setns(fd, CLONE_NEWNET) == 0) {
		away = false;
		return;
	}
	char line[128];
	snprintf(line, sizeof(line), "mvapply: cannot return to the host's network namespace: %s\n",
		 strerror(errno));
	journal_stderr(LEVEL_ERROR, line);
	abort();
}

int netns_new(struct error *error)
{
	struct stat ignored;
	cleanup_close int own = netns_open_own(&ignored, error);
	if (own < 0)
		return own;
	if (unshare(CLONE_NEWNET) < 0)
		return error_set(error, errno, "cannot create a network namespace: %s",
				 strerror(errno));
	away = true;
	const int fd = netns_open_own(&ignored, error);
	netns_return(own);
	return fd;
}
