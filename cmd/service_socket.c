#include "cmd/service_socket.h"

#include "cmd/output_text.h"
#include "kernel/net_admin_proof.h"
#include "lib/abstract_socket.h"
#include "lib/cleanup.h"
#include "lib/fd_message.h"
#include "lib/file_text.h"
#include "lib/hash.h"
#include "lib/memory.h"
#include "schema/source_text.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* The time limit in milliseconds for the service's answer. The service may be busy. */
#define PATIENCE_MS 500

/* A name that is too long is replaced by its hash. */
static const char *name_of(const char *set, char name[ABSTRACT_NAME_SIZE])
{
	if (snprintf(name, ABSTRACT_NAME_SIZE, "mvapply-watch/%s", set) >= (int)ABSTRACT_NAME_SIZE)
		snprintf(name, ABSTRACT_NAME_SIZE, "mvapply-watch#%016" PRIx64,
			 hash_text(HASH_START, set));
	return name;
}

static void answer_read(struct keeper *keeper)
{
	const ssize_t got = recv(keeper->fd, keeper->files, sizeof(keeper->files) - 1, 0);
	keeper->files[got > 0 ? got : 0] = '\0';
}

bool keeper_find(const char *set, struct keeper *ret)
{
	return keeper_find_within(set, PATIENCE_MS, ret);
}

/* A service with fewer capabilities cannot find out otherwise that this process is trusted. */
static void proof_send(int fd)
{
	cleanup_close const int proof = net_admin_proof_open();
	if (proof >= 0)
		(void)fd_message_send(fd, KEEPER_PROOF, strlen(KEEPER_PROOF), &proof, 1, 0);
}

static bool keeper_connect(const char *name, unsigned milliseconds, struct keeper *ret)
{
	*ret = (struct keeper){.fd = abstract_connect(name, SOCK_SEQPACKET, milliseconds)};
	if (ret->fd < 0)
		return false;
	ret->peer = peer_of(ret->fd);
	if (ret->peer.trusted) {
		proof_send(ret->fd);
		answer_read(ret);
		return true;
	}
	close(ret->fd);
	return false;
}

bool keeper_find_within(const char *set, unsigned milliseconds, struct keeper *ret)
{
	char name[ABSTRACT_NAME_SIZE];
	return keeper_connect(name_of(set, name), milliseconds, ret);
}

static const char *name_of_files(uint64_t content, char name[ABSTRACT_NAME_SIZE])
{
	snprintf(name, ABSTRACT_NAME_SIZE, "mvapply-files#%016" PRIx64, content);
	return name;
}

bool files_keeper_find(uint64_t content, unsigned milliseconds, struct keeper *ret)
{
	char name[ABSTRACT_NAME_SIZE];
	return keeper_connect(name_of_files(content, name), milliseconds, ret);
}

bool keeper_exists(const char *set)
{
	char expected[ABSTRACT_NAME_SIZE];
	bool found = false;
	(void)name_of(set, expected);
	cleanup_free char *text = file_text("/proc/net/unix");
	for (char *rest = text, *line; !found && (line = strsep(&rest, "\n"));) {
		const char *name = strchr(line, '@');
		found = name && strcmp(name + 1, expected) == 0;
	}
	return found;
}

int keeper_listen(const char *set)
{
	char name[ABSTRACT_NAME_SIZE];
	return abstract_listen(name_of(set, name), SOCK_SEQPACKET | SOCK_NONBLOCK);
}

int files_keeper_listen(uint64_t content)
{
	char name[ABSTRACT_NAME_SIZE];
	return abstract_listen(name_of_files(content, name), SOCK_SEQPACKET | SOCK_NONBLOCK);
}

void keeper_answer(int fd, const struct options *options)
{
	char files[KEEPER_FILES_SIZE];
	size_t used = 0;
	files[0] = '\0';
	for (size_t i = 0; i < options->n_files && used < sizeof(files); i++)
		used += (size_t)snprintf(files + used, sizeof(files) - used, "%s-f %s",
					 i ? " " : "", options->files[i]);
	(void)send(fd, files, strlen(files), MSG_DONTWAIT | MSG_NOSIGNAL);
}

const char *keeper_text(const struct keeper *keeper, char text[KEEPER_TEXT_SIZE])
{
	snprintf(text, KEEPER_TEXT_SIZE, "process %d (mvapply watch%s%s)", (int)keeper->peer.pid,
		 *keeper->files ? " " : "", keeper->files);
	text_make_printable(text);
	return text;
}

static void keeper_report(const struct keeper *keeper, const char *set, struct options *options)
{
	char text[KEEPER_TEXT_SIZE];
	const char *warning = arena_printf(
		options->arena,
		"%s manages the set \"%s\" and undoes changes that are not in its files",
		keeper_text(keeper, text), set);
	if (options->output == OUTPUT_JSON)
		*array_push(options->arena, options->warnings, options->n_warnings) = warning;
	else
		text_warning(warning);
}

struct keepers keepers_report(const struct desired *desired, struct options *options)
{
	struct keepers keepers = {.fds = memory_new(desired->n_sets + 1, sizeof(int))};
	for (size_t i = 0; i < desired->n_sets; i++) {
		struct keeper keeper;
		if (!keeper_find(desired->sets[i].name, &keeper))
			continue;
		keepers.fds[keepers.count++] = keeper.fd;
		keeper_report(&keeper, desired->sets[i].name, options);
	}
	return keepers;
}

void keepers_free(struct keepers *keepers)
{
	for (size_t i = 0; i < keepers->count; i++)
		close(keepers->fds[i]);
	free(keepers->fds);
}
