#include "kernel/sysctl.h"

#include "lib/cleanup.h"
#include "lib/escape.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define PATH_SIZE 256

/* One path component of the key; it must not lead to another folder. */
static int part_append(char *path, size_t size, const char *part, size_t length, const char *name)
{
	char bytes[PATH_SIZE];
	const size_t used = strlen(path);
	if (length == strlen("IFNAME") && memcmp(part, "IFNAME", length) == 0) {
		if (strlen(name) >= sizeof(bytes))
			return -ENAMETOOLONG;
		length = unescape(bytes, name);
		part = bytes;
	}
	if (length == 0 || memchr(part, '/', length) || part[0] == '.')
		return -EINVAL;
	int wrote = snprintf(path + used, size - used, "/%.*s", (int)length, part);
	return wrote < 0 || (size_t)wrote >= size - used ? -ENAMETOOLONG : 0;
}

int sysctl_path(const char *key, const char *name, char *ret, size_t size)
{
	if (strncmp(key, "net.", 4) != 0)
		return -EINVAL;
	snprintf(ret, size, "/proc/sys");
	for (const char *part = key;;) {
		size_t length = strcspn(part, ".");
		int status = part_append(ret, size, part, length, name);
		if (status < 0)
			return status;
		if (!part[length])
			return 0;
		part += length + 1;
	}
}

int sysctl_read(const char *key, const char *name, char ret[SYSCTL_VALUE_SIZE])
{
	char path[PATH_SIZE];
	int status = sysctl_path(key, name, path, sizeof(path));
	if (status < 0)
		return status;
	cleanup_close int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t size = fd < 0 ? -1 : read(fd, ret, SYSCTL_VALUE_SIZE - 1);
	if (size < 0)
		return -errno;
	while (size > 0 && ret[size - 1] == '\n')
		size--;
	ret[size] = '\0';
	return 0;
}

int sysctl_write(const char *key, const char *name, const char *value, struct error *error)
{
	char path[PATH_SIZE];
	int status = sysctl_path(key, name, path, sizeof(path));
	if (status < 0)
		return error_set(error, -status, "\"%s\" is not a sysctl of a link", key);
	cleanup_close int fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return error_set(error, errno, "cannot open %s: %s", path, strerror(errno));
	if (write(fd, value, strlen(value)) < 0)
		return error_set(error, errno, "cannot write \"%s\" to %s: %s", value, path,
				 strerror(errno));
	return 0;
}
