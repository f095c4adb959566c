#include "dhcp/resolv_conf.h"

#include "lib/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The first line: an owner tag has at most 255 bytes. */
#define HEADER_SIZE  300
#define CONTENT_SIZE 2048
#define MODE         0644

static void header_format(const char *owner, char text[HEADER_SIZE])
{
	snprintf(text, HEADER_SIZE, "# %s: by DHCP, do not edit\n", owner);
}

static void content_format(const char *owner, const struct lease *lease, char text[CONTENT_SIZE])
{
	char ip[IP_TEXT_SIZE];
	header_format(owner, text);
	for (size_t i = 0; i < lease->n_servers; i++)
		snprintf(text + strlen(text), CONTENT_SIZE - strlen(text), "nameserver %s\n",
			 ip_format(&lease->servers[i], ip));
	if (*lease->search)
		snprintf(text + strlen(text), CONTENT_SIZE - strlen(text), "search %s\n",
			 lease->search);
}

/* Nobody else can replace a folder on the way, or the file: others may write to a sticky folder
 * such as /tmp, but remove nothing of root's. */
static bool folder_trusted(int fd)
{
	struct stat stat;
	return fstat(fd, &stat) == 0 && (stat.st_uid == 0 || stat.st_uid == geteuid()) &&
	       (!(stat.st_mode & (S_IWGRP | S_IWOTH)) || stat.st_mode & S_ISVTX);
}

/* The folder of the absolute path, and the file's name in it; -1 with errno. */
static int folder_open(const char *path, const char **ret_name)
{
	char part[NAME_MAX + 1];
	int fd = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	for (const char *at = path + 1, *slash; fd >= 0 && (slash = strchr(at, '/'));
	     at = slash + 1) {
		const int folder = fd;
		snprintf(part, sizeof(part), "%.*s", (int)(slash - at), at);
		fd = openat(folder, part, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		const int errnum = errno;
		close(folder);
		errno = errnum;
		if (fd >= 0 && !folder_trusted(fd)) {
			close(fd);
			fd = -1;
			errno = EPERM;
		}
	}
	*ret_name = strrchr(path, '/') + 1;
	return fd;
}

/* Whether the file in the folder is the owner's. */
static bool file_is_owned(int folder, const char *name, const char *owner)
{
	char header[HEADER_SIZE], found[HEADER_SIZE];
	struct stat stat;
	cleanup_close int fd =
		openat(folder, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &stat) < 0 || !S_ISREG(stat.st_mode))
		return false;
	header_format(owner, header);
	const size_t length = strlen(header);
	return read(fd, found, length) == (ssize_t)length && memcmp(found, header, length) == 0;
}

static bool file_exists(int folder, const char *name)
{
	struct stat stat;
	return fstatat(folder, name, &stat, AT_SYMLINK_NOFOLLOW) == 0;
}

/* 0, or -1 with errno. */
static int file_replace(int folder, const char *name, const char *content)
{
	char temporary[NAME_MAX + 1];
	const size_t length = strlen(content);
	snprintf(temporary, sizeof(temporary), ".%.200s.mvapply", name);
	(void)unlinkat(folder, temporary, 0);
	cleanup_close int fd = openat(folder, temporary,
				      O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, MODE);
	if (fd < 0)
		return -1;
	/* The umask does not matter. */
	if (fchmod(fd, MODE) == 0 && write(fd, content, length) == (ssize_t)length &&
	    renameat(folder, temporary, folder, name) == 0)
		return 0;
	const int errnum = errno;
	(void)unlinkat(folder, temporary, 0);
	errno = errnum;
	return -1;
}

static int write_failed(const char *path, int errnum, struct error *error)
{
	error_set(error, errnum, "cannot write %s: %s", path, strerror(errnum));
	error_hint(
		error, "%s",
		errnum == EPERM || errnum == ELOOP || errnum == ENOTDIR
			? "all folders of the path must be root's, writable by root alone or sticky, and no "
			  "symbolic links"
		: errnum == EROFS ? "add the folder to ReadWritePaths of the service's unit"
				  : "create the folder, and run mvapply again");
	return error_code(error, CODE_RESOLV_CONF);
}

int resolv_conf_write(const char *path, const char *owner, const struct lease *lease,
		      struct error *error)
{
	char content[CONTENT_SIZE];
	const char *name;
	cleanup_close int folder = folder_open(path, &name);
	if (folder < 0)
		return write_failed(path, errno, error);
	if (file_exists(folder, name) && !file_is_owned(folder, name, owner)) {
		error_set(error, EEXIST, "%s exists, and is not the file of this lease", path);
		error_hint(error, "remove it, or write another path to `resolv_conf`");
		return error_code(error, CODE_RESOLV_CONF);
	}
	content_format(owner, lease, content);
	return file_replace(folder, name, content) < 0 ? write_failed(path, errno, error) : 0;
}

int resolv_conf_folder_check(const char *path, struct error *error)
{
	const char *name;
	cleanup_close int folder = folder_open(path, &name);
	return folder < 0 ? write_failed(path, errno, error) : 0;
}

bool resolv_conf_exists(const char *path, const char *owner)
{
	const char *name;
	cleanup_close int folder = folder_open(path, &name);
	return folder >= 0 && file_is_owned(folder, name, owner);
}

void resolv_conf_remove(const char *path, const char *owner)
{
	const char *name;
	cleanup_close int folder = folder_open(path, &name);
	if (folder >= 0 && file_is_owned(folder, name, owner))
		(void)unlinkat(folder, name, 0);
}
