#include "cmd/saved_plan.h"

#include "cmd/exit.h"
#include "cmd/input.h"
#include "cmd/output.h"
#include "cmd/output_json.h"
#include "cmd/output_text.h"
#include "cmd/run.h"
#include "cmd/service_socket.h"
#include "cmd/session.h"
#include "lib/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The path of an input file would be overwritten by the plan. */
static bool is_input(const char *path, const struct input *inputs, size_t n_inputs)
{
	struct stat out, in;
	if (stat(path, &out) < 0 || !S_ISREG(out.st_mode))
		return false;
	for (size_t i = 0; i < n_inputs; i++)
		if (stat(inputs[i].file, &in) == 0 && in.st_dev == out.st_dev &&
		    in.st_ino == out.st_ino)
			return true;
	return false;
}

static int refuse_input(const char *path, struct error *error)
{
	error_set(error, EEXIST, "%s is one of the files that the plan is made from", path);
	error_hint(error, "name another file for the plan: --out=plan.json");
	return -EEXIST;
}

/* One of this process's own descriptors, a device or a FIFO is written in place. Any other file is
 * replaced, including a symbolic link, so that nobody can redirect the output to another file. */
static bool is_stream(const char *path)
{
	static const char *const names[] = {"/dev/stdout", "/dev/stderr", "/dev/fd/", "/proc/"};
	struct stat status;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strncmp(path, names[i], strlen(names[i])) == 0)
			return true;
	return lstat(path, &status) == 0 && (S_ISCHR(status.st_mode) || S_ISFIFO(status.st_mode));
}

/* Closes the descriptor. The file must be on the disk before the rename: otherwise a power failure
 * could leave an empty file. A device or a FIFO cannot be synchronised (EINVAL). */
static bool document_put(const json_t *document, int fd, bool renamed)
{
	FILE *out = fdopen(fd, "w");
	if (!out) {
		close(fd);
		return false;
	}
	(void)json_write(document, out, JSON_INDENT(2));
	(void)fputc('\n', out);
	const bool failed = fflush(out) != 0 || ferror(out) || (renamed && fsync(fileno(out)) < 0);
	return fclose(out) == 0 && !failed;
}

/* The directory entry. A failure is ignored: the plan is complete in any case. */
static void folder_sync(const char *path)
{
	const char *end = strrchr(path, '/');
	char folder[PATH_MAX] = ".";
	if (end)
		snprintf(folder, sizeof(folder), "%.*s", end == path ? 1 : (int)(end - path), path);
	cleanup_close int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd >= 0)
		(void)fsync(fd);
}

/* An incomplete file is not valid JSON, so it is refused as a plan. */
static int document_write(const json_t *document, const char *path, struct error *error)
{
	if (!document || !json_whole()) {
		error_set(error, EILSEQ,
			  "%s was not written: the plan contains bytes that are not UTF-8", path);
		error_hint(error, "save the files as UTF-8");
		return error_code(error, CODE_JSON);
	}
	char temporary[PATH_MAX];
	const bool renamed = !is_stream(path);
	snprintf(temporary, sizeof(temporary), "%s.%ld.tmp", path, (long)getpid());
	const char *written = renamed ? temporary : path;
	int fd = renamed ? open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600)
			 : open(path, O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0 || fcntl(fd, F_SETFL, 0) < 0 || !document_put(document, fd, renamed) ||
	    (renamed && rename(temporary, path) < 0)) {
		int errnum = errno;
		if (fd >= 0 && renamed)
			(void)unlink(temporary);
		return error_set(error, errnum, "cannot write %s: %s", written, strerror(errnum));
	}
	if (renamed)
		folder_sync(path);
	return 0;
}

static int run_save(const struct run *run, const struct desired *desired,
		    const struct options *options, struct input *inputs, size_t n_inputs)
{
	const struct saved_plan saved = {.host = options->host,
					 .options = options->plan,
					 .inputs = inputs,
					 .n_inputs = n_inputs,
					 .live = run_fingerprint(run, desired),
					 .steps = json_steps(run->plan, NULL)};
	struct error error;
	json_t *document = saved_plan_encode(&saved);
	int status = is_input(options->out, inputs, n_inputs)
			     ? refuse_input(options->out, &error)
			     : document_write(document, options->out, &error);
	json_decref(document);
	if (status < 0)
		text_error(&error);
	return status;
}

/* A refused plan cannot be approved. */
static bool savable(const struct run *run, const struct options *options)
{
	if (run->exit_code != EXIT_REFUSED)
		return true;
	text_note(arena_printf(options->arena, "%s was not written: apply would refuse this plan",
			       options->out));
	return false;
}

int plan_save(const struct options *options)
{
	__attribute__((cleanup(arena_cleanup))) struct arena *arena = arena_new();
	struct input *inputs;
	size_t n_inputs;
	struct run run;
	struct error error;
	struct desired *desired = input_keep(options, arena, &inputs, &n_inputs);
	if (!desired)
		return EXIT_USAGE;
	int code = EXIT_FAILED;
	if (run_observe(&run, desired, options, &error) < 0) {
		run_error(&error, options);
	} else {
		code = run_report(&run, desired, options);
		if (savable(&run, options) &&
		    run_save(&run, desired, options, inputs, n_inputs) < 0)
			code = EXIT_FAILED;
		run_free(&run);
	}
	desired_free(desired);
	return code;
}

/* The plan and the input in it, checked as any other; NULL after the errors were written. */
static struct desired *saved_read(const struct options *options, struct arena *arena,
				  struct saved_plan *ret)
{
	struct diags diags;
	struct input *files = NULL;
	size_t count = 0;
	struct desired *desired = NULL;
	diags_init(&diags);
	if (input_files(options, options->words[0], arena, &files, &count, &diags) == 0 &&
	    saved_plan_decode(&files[0], arena, ret, &diags) == 0) {
		desired = load(ret->inputs, ret->n_inputs, ret->host, &diags);
		if (!desired)
			saved_plan_free(ret);
	}
	if (!desired)
		input_wrong(options, &diags);
	diags_free(&diags);
	return desired;
}

int plan_apply(const struct options *options)
{
	__attribute__((cleanup(arena_cleanup))) struct arena *arena = arena_new();
	struct saved_plan saved;
	struct desired *desired = saved_read(options, arena, &saved);
	if (!desired)
		return EXIT_USAGE;
	struct options as_saved = *options;
	as_saved.plan = saved.options;
	as_saved.plan.probe = options->plan.probe;
	as_saved.host = saved.host;
	as_saved.saved = &saved;
	struct keepers keepers = keepers_report(desired, &as_saved);
	int code = run_once(run_apply, desired, &as_saved);
	keepers_free(&keepers);
	desired_free(desired);
	saved_plan_free(&saved);
	return code;
}
