#include "container_engine/machined.h"

#include "lib/cleanup.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FOLDER "/run/systemd/machines"

/* A state file takes about 300 bytes; NETIF lists any number of links at its end. */
#define FILE_MAX 4095

static int not_read(const char *name, struct error *error)
{
	return error_set(error, errno, FOLDER "/%s: %s", name, strerror(errno));
}

static int not_trusted(const char *name, const char *owner, struct error *error)
{
	error_set(error, EINVAL, "machine \"%s\" belongs to user %s", name, owner);
	error_hint(error,
		   "only machines that root has registered are trusted: `machinectl status "
		   "%s` shows it",
		   name);
	return error_code(error, CODE_NAMESPACE);
}

/* The value of a line KEY=VALUE, which ends with a newline; or NULL. `key` includes the '='. */
static const char *value_of(const char *text, const char *key)
{
	const size_t length = strlen(key);
	for (; *text; text += strcspn(text, "\n"), text += *text != 0)
		if (strncmp(text, key, length) == 0)
			return text + length;
	return NULL;
}

/* Before systemd 258, only root can register a machine, and the file has no UID. */
static pid_t leader_of(const char *text, const char *name, struct error *error)
{
	const char *leader = value_of(text, "LEADER="), *user = value_of(text, "UID=");
	char owner[16];
	snprintf(owner, sizeof(owner), "%.*s", user ? (int)strcspn(user, "\n") : 1,
		 user ? user : "0");
	if (strcmp(owner, "0") != 0)
		return not_trusted(name, owner, error);
	const long pid = leader ? strtol(leader, NULL, 10) : 0;
	if (pid <= 0 || pid > INT_MAX)
		return error_set(error, ENOENT, "machine \"%s\" has no process", name);
	return (pid_t)pid;
}

/* systemd-machined replaces the file as a whole. */
pid_t machine_leader_pid(const char *name, struct error *error)
{
	struct stat stat;
	char text[FILE_MAX + 1], owner[16];
	cleanup_close int folder = open(FOLDER, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	cleanup_close int fd =
		folder >= 0 ? openat(folder, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)
			    : -1;
	if (fd < 0 || fstat(fd, &stat) < 0)
		return not_read(name, error);
	snprintf(owner, sizeof(owner), "%u", stat.st_uid);
	if (stat.st_uid != 0 || !S_ISREG(stat.st_mode))
		return not_trusted(name, owner, error);
	const ssize_t size = read(fd, text, FILE_MAX);
	if (size < 0)
		return not_read(name, error);
	text[size] = '\0';
	return leader_of(text, name, error);
}

/* The folder also has links "unit:UNIT", and hidden files that are being written. */
void machines_list(void (*visit)(void *data, const char *name), void *data)
{
	cleanup_closedir DIR *entries = opendir(FOLDER);
	for (struct dirent *entry; entries && (entry = readdir(entries));)
		if (entry->d_name[0] != '.' && !strchr(entry->d_name, ':'))
			visit(data, entry->d_name);
}
