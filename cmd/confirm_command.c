#include "cmd/commands.h"
#include "cmd/confirm_socket.h"
#include "cmd/exit.h"
#include "cmd/output.h"
#include "cmd/output_json.h"
#include "lib/cleanup.h"
#include "lib/printable.h"
#include "lib/unix_peer.h"

#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#define ANSWER_SIZE 4096

/* The guard's answer, which is empty if it is rolling back already. */
static ssize_t answer_read(int fd, char answer[ANSWER_SIZE])
{
	ssize_t used = 0, got;
	while ((got = read(fd, answer + used, ANSWER_SIZE - 1 - (size_t)used)) > 0)
		used += got;
	answer[used] = '\0';
	return used;
}

static int report_confirmed(const struct options *options, const char *sets)
{
	if (options->output == OUTPUT_JSON)
		return json_finish(json_pack("{s:o}", "confirmed", json_text(sets)),
				   EXIT_CONVERGED);
	if (!options->quiet)
		printf("Confirmed: %s.\n", sets);
	return EXIT_CONVERGED;
}

static int confirm_request(int fd, const struct options *options)
{
	struct error error;
	char answer[ANSWER_SIZE];
	(void)!send(fd, "C", 1, MSG_NOSIGNAL);
	if (answer_read(fd, answer) > 0) {
		text_make_printable(answer);
		return report_confirmed(options, answer);
	}
	error_set(&error, ETIME,
		  "not confirmed: the changes are being rolled back already, or this "
		  "process has no CAP_NET_ADMIN");
	error_hint(&error, "`mvapply status` shows what is live");
	error_code(&error, CODE_NOTHING_TO_CONFIRM);
	return run_error(&error, options);
}

static int none_is_waiting(const struct peer *other, int errnum, const struct options *options)
{
	struct error error;
	char text[PEER_TEXT_SIZE];
	if (errnum == EPERM) {
		error_set(&error, EPERM, "the socket @mvapply-confirm belongs to %s",
			  peer_text(other, text));
		error_hint(&error, "run it as the user who ran `mvapply apply --confirm`, and in "
				   "the same container");
		return run_error(&error, options);
	}
	error_set(&error, errnum, "no apply waits for a confirmation on this host");
	error_hint(&error, "it was confirmed or rolled back: `mvapply status` shows what is "
			   "live");
	error_code(&error, CODE_NOTHING_TO_CONFIRM);
	return run_error(&error, options);
}

int command_confirm(const struct options *options)
{
	struct peer other;
	cleanup_close int fd = confirm_guard_connect(&other);
	if (fd < 0)
		return none_is_waiting(&other, -fd, options);
	return confirm_request(fd, options);
}
