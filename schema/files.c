#include "schema/files.h"

#include "lib/cleanup.h"
#include "schema/diag_report.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

const char *const yaml_endings[] = {".yaml", ".yml", NULL};

/* Reports a file as a whole. Returns -1. */
__attribute__((format(printf, 5, 6))) static int fail(struct diags *diags, enum code code,
						      const char *file, const char *hint,
						      const char *format, ...)
{
	if (diags->count >= DIAGS_MAX) {
		diags->omitted++;
		return -1;
	}
	char text[256];
	va_list args;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);

	struct diag *diag = array_push(diags->arena, diags->items, diags->count);
	diag->place.file = arena_strdup(diags->arena, file);
	diag->code = code;
	diag->text = arena_strdup(diags->arena, text);
	diag->hint = hint;
	return -1;
}

static int fail_size(struct diags *diags, const char *file)
{
	return fail(diags, CODE_FILE, file, "split the file, or check what generates it",
		    "is larger than %zu MiB", FILE_SIZE_MAX >> 20);
}

static const char *errno_hint(int errnum)
{
	switch (errnum) {
	case ENOENT:
	case ENOTDIR:
		return "check the path given with -f";
	case EACCES:
	case EPERM:
		return "run mvapply as a user who can read it";
	default:
		return "check that it can be read, for example with `cat`";
	}
}

/* The list that collects the inputs. */
struct reader {
	const struct trust *trust;
	const char *const *endings; /* endings of the files of a directory, up to NULL */
	struct arena *arena;
	struct input **inputs;
	size_t *count;
	struct diags *diags;
};

/* Reads to the end, or up to the limit. Returns memory that the caller frees, or NULL with errno.
 * Rejected: the arena, since the size of a pipe is unknown and each outgrown buffer would
 * remain. */
static char *read_all(int fd, size_t expected, size_t *ret_size)
{
	size_t room = expected + 1, size = 0;
	char *bytes = malloc(room);

	while (bytes) {
		ssize_t got = read(fd, bytes + size, room - size);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0) {
			int error = errno;
			free(bytes);
			errno = error;
			return NULL;
		}
		size += (size_t)got;
		if (got == 0 || size > FILE_SIZE_MAX)
			break;
		if (size < room)
			continue;
		room *= 2;
		char *grown = realloc(bytes, room);
		if (!grown)
			free(bytes);
		bytes = grown;
	}
	*ret_size = size;
	return bytes;
}

/* Reads an open file. */
static int read_open(struct reader *reader, int fd, const char *file, size_t expected)
{
	size_t size;
	char *bytes = read_all(fd, expected, &size);
	if (!bytes)
		return fail(reader->diags, CODE_FILE, file, errno_hint(errno), "cannot be read: %s",
			    strerror(errno));
	if (size > FILE_SIZE_MAX) {
		free(bytes);
		return fail_size(reader->diags, file);
	}
	struct input *input = array_push(reader->arena, *reader->inputs, *reader->count);
	input->file = arena_strdup(reader->arena, file);
	input->bytes = arena_strndup(reader->arena, bytes, size);
	input->size = size;
	free(bytes);
	return 0;
}

/* The name of a file type that is not supported. */
static const char *type_name(mode_t mode)
{
	switch (mode & S_IFMT) {
	case S_IFDIR:
		return "a directory";
	case S_IFIFO:
		return "a FIFO";
	case S_IFSOCK:
		return "a socket";
	default:
		return "a device";
	}
}

/* Whether the file can be read and is not too large; otherwise reports it. */
static bool fits(struct reader *reader, const char *path, const struct stat *status,
		 bool pipe_allowed)
{
	if (S_ISFIFO(status->st_mode) && pipe_allowed)
		return true;
	if (!S_ISREG(status->st_mode)) {
		fail(reader->diags, CODE_FILE, path, "give a file, or `-` for standard input",
		     "is %s, not a file", type_name(status->st_mode));
		return false;
	}
	if ((unsigned long long)status->st_size > FILE_SIZE_MAX) {
		fail_size(reader->diags, path);
		return false;
	}
	return true;
}

/* Whether no other user can write the file; otherwise reports it. */
static bool trusted(struct reader *reader, const char *path, const struct stat *status)
{
	const char *hint;
	const char *problem =
		trust_problem(reader->trust, status, path, reader->diags->arena, &hint);
	if (problem)
		fail(reader->diags, CODE_TRUST, path, hint, "%s", problem);
	return !problem;
}

static int fail_open(struct reader *reader, const char *path)
{
	return fail(reader->diags, CODE_FILE, path, errno_hint(errno), "cannot be opened: %s",
		    strerror(errno));
}

/* Reads a regular file, or a pipe that /dev/fd/N or /dev/stdin names, such as a shell's <(command).
 * Its type is checked before it is opened, since opening a device can have side effects, and again
 * after, since the file may have been replaced. It is opened without blocking, since a FIFO may
 * have no writer. */
static int read_file(struct reader *reader, const char *path, bool pipe_allowed)
{
	struct stat status;
	if (stat(path, &status) < 0)
		return fail_open(reader, path);
	if (!fits(reader, path, &status, pipe_allowed))
		return -1;
	cleanup_close int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
	if (fd < 0 || fstat(fd, &status) < 0 || fcntl(fd, F_SETFL, 0) < 0)
		return fail_open(reader, path);
	if (!fits(reader, path, &status, pipe_allowed) ||
	    (!S_ISFIFO(status.st_mode) && !trusted(reader, path, &status)))
		return -1;
	return read_open(reader, fd, path, S_ISREG(status.st_mode) ? (size_t)status.st_size : 4096);
}

static bool has_ending(const char *name, const char *ending)
{
	size_t length = strlen(name), tail = strlen(ending);
	return length > tail && strcmp(name + length - tail, ending) == 0;
}

static bool has_one_ending(const char *name, const char *const *endings)
{
	for (; *endings; endings++)
		if (has_ending(name, *endings))
			return true;
	return false;
}

/* Skips files that start with a dot: those of editors and version control. */
static int is_visible(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

static int byte_order(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

/* "*.yaml or *.yml". */
static const char *endings_list(struct arena *arena, const char *const *endings)
{
	const char *text = arena_printf(arena, "*%s", endings[0]);
	for (size_t i = 1; endings[i]; i++)
		text = arena_printf(arena, "%s%s*%s", text, endings[i + 1] ? ", " : " or ",
				    endings[i]);
	return text;
}

static int read_directory(struct reader *reader, const char *path)
{
	struct dirent **entries;
	int count = scandir(path, &entries, is_visible, byte_order), result = 0, found = 0;
	if (count < 0)
		return fail(reader->diags, CODE_FILE, path, errno_hint(errno), "cannot be read: %s",
			    strerror(errno));

	for (int i = 0; i < count; i++) {
		const char *slash = has_ending(path, "/") ? "" : "/";
		const char *file =
			arena_printf(reader->arena, "%s%s%s", path, slash, entries[i]->d_name);
		const bool chosen = has_one_ending(entries[i]->d_name, reader->endings);
		found += chosen;
		if (chosen && read_file(reader, file, false) < 0)
			result = -1;
		free(entries[i]);
	}
	free(entries);
	/* Reports a directory without files: as an empty set it would delete everything. */
	if (!found)
		result = fail(reader->diags, CODE_FILE, path,
			      "give the directory that contains the files", "contains no %s file",
			      endings_list(reader->arena, reader->endings));
	return result;
}

/* Whether the path is one of this process's own descriptors: the process that opened the pipe is
 * trusted. The writer of any other FIFO, also under /dev or /proc, is unknown. */
static bool is_descriptor(const char *path)
{
	static const char *const folders[] = {"/dev/fd/", "/proc/self/fd/",
					      "/proc/thread-self/fd/"};
	if (strcmp(path, "/dev/stdin") == 0)
		return true;
	for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) {
		const size_t length = strlen(folders[i]);
		if (strncmp(path, folders[i], length) == 0 && path[length] &&
		    !path[length + strspn(path + length, "0123456789")])
			return true;
	}
	return false;
}

int files_read(const char *path, const struct trust *trust, struct arena *arena,
	       struct input **inputs, size_t *count, struct diags *diags)
{
	return files_read_endings(path, yaml_endings, trust, arena, inputs, count, diags);
}

int files_read_endings(const char *path, const char *const *endings, const struct trust *trust,
		       struct arena *arena, struct input **inputs, size_t *count,
		       struct diags *diags)
{
	struct reader reader = {trust, endings, arena, inputs, count, diags};
	struct stat status;

	if (strcmp(path, "-") == 0)
		return read_open(&reader, STDIN_FILENO, "<stdin>", 4096);
	if (stat(path, &status) < 0)
		return fail_open(&reader, path);
	/* A user who can write a folder can replace its names by links to any file of root's. */
	if (S_ISDIR(status.st_mode))
		return trusted(&reader, path, &status) ? read_directory(&reader, path) : -1;
	return read_file(&reader, path, is_descriptor(path));
}
