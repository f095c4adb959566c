#include "schema/file_trust.h"

static const char *owner_problem(const struct stat *status, const char *path, struct arena *arena,
				 const char **ret_hint)
{
	*ret_hint =
		arena_printf(arena, "`chown root %s`, or pass --insecure to trust its owner", path);
	return arena_printf(arena, "is owned by user %u, but mvapply runs as root",
			    (unsigned)status->st_uid);
}

static const char *mode_problem(const struct stat *status, const char *path, struct arena *arena,
				const char **ret_hint)
{
	*ret_hint = arena_printf(
		arena, "`chmod go-w %s`, or pass --insecure to trust every user who can write it",
		path);
	if (status->st_mode & S_IWOTH)
		return arena_printf(arena, "is writable by everyone (mode %04o)",
				    status->st_mode & 07777U);
	return arena_printf(arena, "is writable by group %u (mode %04o)", (unsigned)status->st_gid,
			    status->st_mode & 07777U);
}

const char *trust_problem(const struct trust *trust, const struct stat *status, const char *path,
			  struct arena *arena, const char **ret_hint)
{
	if (trust->everybody)
		return NULL;
	if (status->st_uid != 0 && status->st_uid != trust->user)
		return owner_problem(status, path, arena, ret_hint);
	if (status->st_mode & S_IWOTH || (status->st_mode & S_IWGRP && status->st_gid != 0))
		return mode_problem(status, path, arena, ret_hint);
	return NULL;
}
