#include "cmd/exit.h"
#include "cmd/incomplete.h"
#include "cmd/output.h"
#include "cmd/output_json.h"
#include "cmd/output_text.h"
#include "cmd/signals.h"
#include "cmd/status/status.h"
#include "cmd/terminal.h"
#include "lib/display_width.h"
#include "lib/memory.h"
#include "lib/printable.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

/* ECMA-48, and xterm's alternate screen, which preserves the previous content. */
#define SCREEN_BEGIN "\033[?1049h\033[?25l"
#define SCREEN_END   "\033[?25h\033[?1049l"
#define SCREEN_HOME  "\033[H"
#define LINE_END     "\033[K\n"
#define SCREEN_REST  "\033[J"

struct follower {
	const struct options *options;
	const struct desired *desired;
	struct lookups *lookups; /* continue from one observation to the next */
	bool terminal;
	int signals;        /* a descriptor that reports SIGINT, SIGTERM and SIGWINCH */
	char *shown;        /* the last output */
	int code;           /* the result of the last observation, */
	struct error fault; /* and its error, if it failed */
};

static const int follow_signals[] = {SIGINT, SIGTERM, SIGWINCH, 0};

/* False: the end was requested, or the output has no reader any more. */
static bool pause_until_next(const struct follower *follower)
{
	struct pollfd pollers[] = {{.fd = follower->signals, .events = POLLIN},
				   {.fd = STDOUT_FILENO}};
	struct signalfd_siginfo signal;
	if (poll(pollers, 2, (int)follower->options->watch_seconds * 1000) <= 0)
		return true;
	if (pollers[1].revents)
		return false;
	while (read(follower->signals, &signal, sizeof(signal)) == sizeof(signal))
		if (signal.ssi_signo != SIGWINCH)
			return false;
	return true;
}

static unsigned screen_rows(void)
{
	struct winsize size;
	return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row ? size.ws_row : 24;
}

/* The lines that fit; the last one counts the omitted ones. */
static void screen_put(const char *text, unsigned rows)
{
	size_t lines = 0, row = 0;
	for (const char *at = text; *at; at++)
		lines += *at == '\n';
	fputs(SCREEN_HOME, stdout);
	for (const char *line = text; *line; line = strchr(line, '\n') + 1) {
		if (row + 2 > rows && lines > row + 1) {
			printf("... and %zu more", lines - row);
			fputs("\033[K", stdout);
			break;
		}
		printf("%.*s%s", (int)strcspn(line, "\n"), line, LINE_END);
		row++;
	}
	fputs(SCREEN_REST, stdout);
}

/* The time of the observation, and how to end. */
static void head_write(FILE *out, unsigned seconds, unsigned width)
{
	char line[96], now[32];
	time_t clock = time(NULL);
	struct tm broken;
	strftime(now, sizeof(now), "%H:%M:%S", localtime_r(&clock, &broken));
	snprintf(line, sizeof(line), "mvapply status at %s, every %u s; Ctrl-C ends it", now,
		 seconds);
	fprintf(out, "%.*s\n\n", (int)width, line);
}

static void sentences_write(FILE *out, const char *first, const char *const *sentences,
			    size_t count, unsigned width)
{
	__attribute__((cleanup(arena_cleanup))) struct arena *arena = arena_new();
	for (size_t i = 0; i < count; i++) {
		const char *line =
			printable(arena, arena_printf(arena, "%s%s", first, sentences[i]));
		fprintf(out, "%.*s\n", (int)text_fit(line, width), line);
	}
}

static void table_write(const struct follower *follower, FILE *out,
			const struct status_model *model, const struct run *run)
{
	__attribute__((cleanup(arena_cleanup))) struct arena *arena = arena_new();
	const struct text text = text_new(follower->options, stdout, follower->desired->n_sets);
	unsigned width = follower->terminal ? (unsigned)terminal_columns(STDOUT_FILENO) : INT_MAX;
	if (follower->terminal)
		head_write(out, follower->options->watch_seconds, width);
	status_table(out, model, run->plan,
		     &(struct status_style){.color = text.color, .width = width});
	sentences_write(
		out, "warning: ", warnings_text(run->plan->warnings, run->plan->n_warnings, arena),
		run->plan->n_warnings, width);
	sentences_write(out, "cannot read: ", live_unreadable_texts(run->live, arena),
			run->live->n_unreadable, width);
}

static void result_write(const struct follower *follower, FILE *out, const struct run *run)
{
	struct status_model model = status_model_make(follower->desired, run->live, run->plan);
	if (follower->options->output == OUTPUT_JSON) {
		json_t *json = status_json(&model, run, false);
		json_put(json, "exit_code", json_integer(follower->code));
		json = json_versioned(json);
		json_write(json, out, JSON_COMPACT);
		fputc('\n', out);
		json_decref(json);
	} else {
		table_write(follower, out, &model, run);
	}
	status_model_free(&model);
}

/* On a terminal the whole screen; otherwise, for example in a file, only changes. */
static void show(struct follower *follower, char *text)
{
	bool json = follower->options->output == OUTPUT_JSON;
	if (follower->terminal)
		screen_put(text, screen_rows());
	else if (!follower->shown || strcmp(follower->shown, text) != 0)
		printf("%s%s", text, json ? "" : "\n");
	fflush(stdout);
	free(follower->shown);
	follower->shown = text;
}

static int observe_once(struct follower *follower, struct error *error)
{
	struct run run;
	char *text = NULL;
	size_t size = 0;
	if (run_reobserve(&run, follower->desired, follower->lookups, follower->options, error) < 0)
		return -1;
	follower->fault = (struct error){0};
	follower->code = status_code(&run, follower->options, &follower->fault);
	FILE *out = memory_or_die(open_memstream(&text, &size));
	result_write(follower, out, &run);
	fclose(out);
	run_free(&run);
	show(follower, memory_or_die(text));
	return 0;
}

int status_watch(const struct options *options, const struct desired *desired)
{
	struct error error;
	struct follower follower = {.options = options,
				    .desired = desired,
				    .terminal = options->output == OUTPUT_TEXT &&
						terminal_draws(STDOUT_FILENO),
				    .signals = signals_open(follow_signals, &error)};
	if (follower.signals < 0)
		return run_error(&error, options);
	follower.lookups = lookups_new(NULL, NULL, NULL);
	fputs(follower.terminal ? SCREEN_BEGIN : "", stdout);
	int status;
	do
		status = observe_once(&follower, &error);
	while (status == 0 && pause_until_next(&follower) && !ferror(stdout));
	fputs(follower.terminal ? SCREEN_END : "", stdout);
	fflush(stdout);
	free(follower.shown);
	lookups_free(follower.lookups);
	close(follower.signals);
	if (status < 0)
		return run_error(&error, options);
	if (follower.fault.code && options->output != OUTPUT_JSON)
		text_error(&follower.fault);
	return follower.code;
}
