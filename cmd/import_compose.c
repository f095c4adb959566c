#include "cmd/import_compose.h"

#include "cmd/input.h"
#include "convert/import.h"
#include "lib/cleanup.h"
#include "lib/read_full.h"
#include "schema/file_trust.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A file that another names may have this many bytes. */
#define NAMED_SIZE_MAX ((size_t)4 << 20)

extern char **environ;

/* compose-go's DefaultFileNames and DefaultOverrideFileNames, the first that is there counts. */
static const char *const default_names[] = {"compose.yaml", "compose.yml", "docker-compose.yml",
					    "docker-compose.yaml", NULL};
static const char *const override_names[] = {"compose.override.yml", "compose.override.yaml",
					     "docker-compose.override.yml",
					     "docker-compose.override.yaml", NULL};

static const char *folder_of(const char *path, struct arena *arena)
{
	const char *slash = strrchr(path, '/');
	return !slash          ? "."
	       : slash == path ? "/"
			       : arena_strndup(arena, path, (size_t)(slash - path));
}

/* The first of the names that is a file in the folder, or NULL. */
static const char *find(struct arena *arena, const char *folder, const char *const *names)
{
	struct stat status;
	for (; *names; names++) {
		const char *slash = strcmp(folder + strlen(folder) - 1, "/") == 0 ? "" : "/";
		const char *path = strcmp(folder, ".") == 0
					   ? *names
					   : arena_printf(arena, "%s%s%s", folder, slash, *names);
		if (stat(path, &status) == 0 && S_ISREG(status.st_mode))
			return path;
	}
	return NULL;
}

static bool is_default_name(const char *path)
{
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
	for (size_t i = 0; default_names[i]; i++)
		if (strcmp(name, default_names[i]) == 0)
			return true;
	return false;
}

const char **import_compose_paths(const struct options *options, size_t *ret_count)
{
	const char **paths = NULL;
	struct arena *arena = options->arena;
	struct stat status;
	*ret_count = 0;
	for (size_t i = 1; i < options->n_words; i++) {
		const char *path = options->words[i];
		const bool folder = stat(path, &status) == 0 && S_ISDIR(status.st_mode);
		const char *found = folder ? find(arena, path, default_names) : NULL;
		*array_push(arena, paths, *ret_count) = found ? found : path;
	}
	if (*ret_count == 1 && is_default_name(paths[0])) {
		const char *over = find(arena, folder_of(paths[0], arena), override_names);
		if (over)
			*array_push(arena, paths, *ret_count) = over;
	}
	return paths;
}

/* Compose's name of a project whose file sets none: that of the file's folder, in small
 * letters, and only such as may be in a name. */
static const char *project_name(struct arena *arena, const char *folder)
{
	char *path = folder ? realpath(folder, NULL) : NULL;
	const char *name = path && strrchr(path, '/') ? strrchr(path, '/') + 1 : "";
	char *copy = arena_alloc(arena, strlen(name) + 1), *to = copy;
	for (; *name; name++) {
		char c = *name >= 'A' && *name <= 'Z' ? (char)(*name + 'a' - 'A') : *name;
		bool first = to == copy, letter = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
		if (letter || (!first && (c == '_' || c == '-')))
			*to++ = c;
	}
	*to = '\0';
	free(path);
	return *copy ? copy : "default";
}

/* The variables of the process, without those that are not UTF-8. */
static json_t *environment_read(struct arena *arena)
{
	json_t *environment = json_object();
	for (char **at = environ; *at; at++) {
		const char *value = strchr(*at, '=');
		if (value)
			json_object_set_new(environment,
					    arena_strndup(arena, *at, (size_t)(value - *at)),
					    json_string(value + 1));
	}
	return environment;
}

/* Which files may be read because another file names them. */
struct named_files {
	const struct options *options;
	struct trust trust;
	bool untrusted; /* an untrusted user can write the files that name them */
	uid_t owner;    /* of these files */
};

/* As root, a file that an untrusted file names is read only if its author could read it. */
static void owner_check(struct named_files *named, const struct input *input)
{
	struct stat status;
	const char *hint;
	if (named->untrusted || stat(input->file, &status) < 0)
		return;
	named->owner = status.st_uid;
	named->untrusted = trust_problem(&named->trust, &status, input->file, named->options->arena,
					 &hint) != NULL;
}

/* NULL: the open file may be read. */
static const char *file_problem(const struct named_files *named, const char *path,
				const struct stat *status)
{
	const char *hint;
	if (!S_ISREG(status->st_mode))
		return "it is not a file";
	if ((unsigned long long)status->st_size > NAMED_SIZE_MAX)
		return "it is larger than 4 MiB";
	if (!named->untrusted)
		return trust_problem(&named->trust, status, path, named->options->arena, &hint);
	if (status->st_uid == named->owner)
		return NULL;
	return arena_printf(named->options->arena,
			    "it belongs to user %u, and the file that names it to user %u",
			    (unsigned)status->st_uid, (unsigned)named->owner);
}

/* Reads the file up to the size that it has. */
static bool content_read(int fd, const char *path, size_t size, struct arena *arena,
			 struct input *ret)
{
	char *bytes = arena_alloc(arena, size + 1);
	const ssize_t length = read_full(fd, bytes, size);
	if (length < 0)
		return false;
	*ret = (struct input){.file = path, .bytes = bytes, .size = (size_t)length};
	return true;
}

static bool named_read(void *data, const char *path, struct input *ret, const char **ret_problem)
{
	const struct named_files *named = data;
	struct stat status;
	if (stat(path, &status) < 0) {
		*ret_problem = errno == ENOENT ? NULL : strerror(errno);
		return false;
	}
	/* Before it is opened, which may do things where it is a device, and again after. */
	*ret_problem = file_problem(named, path, &status);
	if (*ret_problem)
		return false;
	*ret_problem = "it cannot be opened";
	cleanup_close int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
	if (fd < 0 || fstat(fd, &status) < 0)
		return false;
	*ret_problem = file_problem(named, path, &status);
	if (*ret_problem)
		return false;
	*ret_problem = "it cannot be read";
	return content_read(fd, path, (size_t)status.st_size, named->options->arena, ret);
}

struct tree *import_compose_files(const struct options *options, const struct input *inputs,
				  size_t count, struct error *error)
{
	const bool piped = strcmp(inputs[0].file, "<stdin>") == 0;
	const char *folder = piped ? "." : folder_of(inputs[0].file, options->arena);
	struct named_files named = {.options = options, .trust = input_trust(options)};
	for (size_t i = 0; i < count; i++)
		owner_check(&named, &inputs[i]);
	json_t *environment = environment_read(options->arena);
	const struct compose_source source = {
		.inputs = inputs,
		.n_inputs = count,
		.found = options->n_words == 2,
		.directory = folder,
		.project = project_name(options->arena, piped ? NULL : folder),
		.environment = environment,
		.read = named_read,
		.data = &named};
	struct tree *tree = import_compose(&source, options->arena, error);
	json_decref(environment);
	return tree;
}
