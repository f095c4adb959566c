#include "cmd/leases.h"

#include "dhcp/lessor.h"
#include "schema/files.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PIECE_SIZE 65536

static const char word[] = "dhcp";

/* The end of a piece goes before the next one: the word may be in both. */
static bool descriptor_names(int fd)
{
	static char bytes[PIECE_SIZE];
	const size_t overlap = sizeof(word) - 2;
	size_t kept = 0;
	ssize_t size;
	while ((size = read(fd, bytes + kept, sizeof(bytes) - kept)) > 0) {
		const size_t used = kept + (size_t)size;
		if (memmem(bytes, used, word, sizeof(word) - 1))
			return true;
		kept = used < overlap ? used : overlap;
		memmove(bytes, bytes + used - kept, kept);
	}
	return size < 0;
}

/* A file that is not there has no need of anything. To open a FIFO would let its writer go on, and
 * a device may do anything (schema/files.h refuses both). */
static bool file_names(const char *path)
{
	struct stat status;
	if (stat(path, &status) < 0)
		return false;
	if (!S_ISREG(status.st_mode) || (size_t)status.st_size > FILE_SIZE_MAX)
		return true;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0)
		return false;
	bool names = descriptor_names(fd);
	close(fd);
	return names;
}

static bool files_name(const struct options *options)
{
	for (size_t i = 0; i < options->n_files; i++)
		if (strcmp(options->files[i], "-") == 0 || file_names(options->files[i]))
			return true;
	return options->n_words && file_names(options->words[0]);
}

struct lessor *leases_begin(const struct command *command, const struct options *options)
{
	const bool may_do_without = command->groups & OPTIONS_APPLY;
	if (!command->changes || options->dry_run || (may_do_without && !files_name(options)))
		return NULL;
	return lessor_new();
}
